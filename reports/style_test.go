package reports

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast holds the colours of both styles against their backgrounds by the rule of WCAG 2.1: text
// at 4.5 to 1, marks at 3 to 1.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("page/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark := map[string]string{}, map[string]string{}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), 2)
	for k, b := range blocks {
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(b[1], -1) {
			if dark[m[1]] = m[2]; k == 0 {
				light[m[1]] = m[2]
			}
		}
	}
	for name, colours := range map[string]map[string]string{"light": light, "dark": dark} {
		for least, names := range map[float64]string{
			4.5: "ink soft accent warm good-text bad-text",
			3:   "up down hold s0 s1 s2 s3 s4 s5",
		} {
			for colour := range strings.FieldsSeq(names) {
				backgrounds := []string{"paper"}
				if least > 3 {
					backgrounds = append(backgrounds, "raised")
				}
				for _, background := range backgrounds {
					if got := contrast(t, colours[colour], colours[background]); got < least {
						t.Errorf("%s: %s %s on %s %s: %.2f to 1, want %v", name, colour, colours[colour], background, colours[background], got, least)
					}
				}
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	if len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	sum := 0.0
	for k, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*k:3+2*k], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
