package study

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets names the starter studies.
func Presets() []string {
	entries, err := presets.ReadDir("presets")
	if err != nil {
		panic("study: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Preset is a commented starter study as YAML.
func Preset(name string) ([]byte, error) {
	text, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("preset %q: want one of %s", name, strings.Join(Presets(), ", "))
	}
	return text, nil
}
