package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, c *Cache, entries ...*Entry) {
	t.Helper()
	for _, e := range entries {
		if err := c.Put(e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEntryFile(t *testing.T) {
	cache := OpenCache(filepath.Join(t.TempDir(), "a", "cache"))
	call := Call{Model: "m", Messages: []Message{{"user", "line 1\nline <2>"}}, Temperature: 0.2, MaxTokens: 500, ResponseFormat: JSONObject}
	e := newEntry(call, time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)))
	e.add(Exchange{ResponseFormat: JSONSchema, Served: "m-1", Text: "long!", Finish: "length", Usage: Usage{100, 20, false}, LatencyMS: 1200})
	if e.Answer != nil || e.Invalid != `the text holds no JSON object (the model stopped for "length")` || !e.repairDue() {
		t.Fatalf("%+v", e)
	}
	e.add(Exchange{ResponseFormat: JSONSchema, Repair: []Message{{"assistant", "long!"}, {"user", "JSON, please"}}, Served: "m-1",
		Text: "```" + fits + "```", Finish: "stop", Usage: Usage{120, 30, true}, LatencyMS: 800.5})
	put(t, cache, e)
	path := cache.Path(call.Key())
	if rel, _ := filepath.Rel(cache.Dir(), path); rel != string(call.Key()[:2])+"/"+string(call.Key())+".json" {
		t.Error(rel)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := ` "key": "` + string(call.Key()) + `",
 "model": "m",
 "asked": "2026-01-02T02:04:05Z",
 "request": {
  "model": "m",
  "messages": [
   {
    "role": "user",
    "content": "line 1\nline <2>"
   }
  ],
  "temperature": 0.2,
  "max_tokens": 500,
  "response_format": {
   "type": "json_object"
  }
 },
 "exchanges": [
  {
   "response_format": "json_schema",
   "served_by": "m-1",
   "text": "long!",
   "finish": "length",
   "usage": {
    "prompt_tokens": 100,
    "completion_tokens": 20
   },
   "latency_ms": 1200
  },
  {
   "response_format": "json_schema",
   "repair": [
    {
     "role": "assistant",
     "content": "long!"
    },
    {
     "role": "user",
     "content": "JSON, please"
    }
   ],
   "served_by": "m-1",
   "text": "` + "```" + strings.ReplaceAll(fits, `"`, `\"`) + "```" + `",
   "finish": "stop",
   "usage": {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "assumed": true
   },
   "latency_ms": 800.5
  }
 ],
 "answer": {
  "action": "long",
  "confidence": 0.8,
  "position_size": 0.5,
  "reasoning": "momentum"
 }
}
`
	line, rest, _ := strings.Cut(string(file), "\n")
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Error(diff)
	}
	if line != `{"sha256": "`+digest([]byte(rest))+`",` || !json.Valid(file) {
		t.Errorf("first line %s", line)
	}
	got, err := cache.Get(call.Key())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Error(diff)
	}
	if u := got.Usage(); u != (Usage{220, 50, true}) || got.Latency() != 2000500*time.Microsecond || got.repairDue() {
		t.Errorf("%+v, %s", u, got.Latency())
	}
}

// TestAnyChangedByteIsRefused changes every byte, and cuts and extends the file.
func TestAnyChangedByteIsRefused(t *testing.T) {
	cache := OpenCache(t.TempDir())
	call := calls(t, study(), days(1))[0][0]
	put(t, cache, entry(call, fits))
	path := cache.Path(call.Key())
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			changed := bytes.Clone(file)
			changed[i] ^= flip
			if _, err := unmarshalEntry(changed); err == nil {
				t.Fatalf("byte %d may be %q instead of %q", i, changed[i], file[i])
			}
		}
	}
	refused := func(what string, changed []byte) {
		t.Helper()
		if err := os.WriteFile(path, changed, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := cache.Get(call.Key()); err == nil || errors.Is(err, ErrMissing) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused("another byte", append(bytes.Clone(file[:len(file)-1]), ' '))
	refused("one byte more", append(bytes.Clone(file), '\n'))
	refused("one byte less", file[:len(file)-1])
	refused("empty", nil)
	if _, err := Read(cache, study(), days(1)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("read: %v", err)
	}
	n, findings, err := cache.Verify()
	if n != 1 || len(findings) != 1 || !strings.Contains(findings[0].Error(), path) || err != nil {
		t.Errorf("verify: %d, %v, %v", n, findings, err)
	}
}

func TestListAndVerify(t *testing.T) {
	cache := OpenCache(filepath.Join(t.TempDir(), "cache"))
	if keys, err := cache.List(); len(keys) != 0 || err != nil {
		t.Errorf("an empty cache: %v, %v", keys, err)
	}
	all := calls(t, study(), days(3))
	var want []Key
	for _, call := range all[0] {
		put(t, cache, entry(call, fits))
		want = append(want, call.Key())
	}
	keys, err := cache.List()
	if err != nil || len(keys) != 3 || keys[0] >= keys[1] || keys[1] >= keys[2] {
		t.Fatalf("%v, %v", keys, err)
	}
	for _, k := range want {
		if _, err := cache.Get(k); err != nil {
			t.Error(err)
		}
	}
	if _, err := cache.Get(all[1][0].Key()); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if n, findings, err := cache.Verify(); n != 3 || len(findings) != 0 || err != nil {
		t.Fatalf("%d, %v, %v", n, findings, err)
	}
	// A foreign file, an entry under another's name, an answer that its text does not give, and what
	// is no concern of the cache.
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(cache.Dir(), "notes.json"), "{}")
	other := calls(t, study(), days(4))[1][3].Key()
	write(cache.Path(other), string(entry(all[0][0], fits).marshal()))
	lie := entry(all[1][1], fits)
	lie.Answer.Action, lie.Answer.PositionSize = "short", -1
	put(t, cache, lie)
	write(filepath.Join(cache.Dir(), "README.md"), "ours")
	write(filepath.Join(cache.Dir(), ".git", "x.json"), "git's")
	n, findings, err := cache.Verify()
	text := errors.Join(findings...).Error()
	if n != 5 || len(findings) != 3 || err != nil || !strings.Contains(text, "notes.json: not a cache entry") ||
		!strings.Contains(text, string(other)+".json: it is the entry of "+string(all[0][0].Key())) ||
		!strings.Contains(text, string(lie.Key)+".json: its answer is not what its text says") {
		t.Errorf("%d, %v, %v", n, findings, err)
	}
}

func TestHostileAnswersSurvive(t *testing.T) {
	cache := OpenCache(t.TempDir())
	for name, text := range map[string]string{
		"script":         `</script><script>alert(1)</script>` + fits,
		"a megabyte":     strings.Repeat("z", 1<<20),
		"NUL":            "\x00\x00" + fits + "\x00",
		"invalid UTF-8":  "\xff\xfe" + fits + "\xc3",
		"line separator": "\u2028\u2029" + fits,
		"reasoning":      `{"action":"long","confidence":0.8,"position_size":0.5,"reasoning":"<script>\u0000\ud800\"}"}`,
	} {
		e := entry(Call{Model: name}, text)
		put(t, cache, e)
		got, err := cache.Get(e.Key)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Errorf("%s: %.500s", name, diff)
		}
		if got.Exchanges[0].Text != strings.ToValidUTF8(text, "\uFFFD") {
			t.Errorf("%s: text %.80q", name, got.Exchanges[0].Text)
		}
		if name == "a megabyte" != (got.Answer == nil) {
			t.Errorf("%s: %+v, %s", name, got.Answer, got.Invalid)
		}
	}
	if _, findings, err := cache.Verify(); len(findings) != 0 || err != nil {
		t.Errorf("%v, %v", findings, err)
	}
}
