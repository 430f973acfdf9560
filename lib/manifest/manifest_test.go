package manifest

import (
	"reflect"
	"strings"
	"testing"
)

func valid() *Manifest {
	return &Manifest{
		Programs: []Program{{
			Name: "hello", Path: "bin/hello", Args: []string{"hello", "é", ""},
			Env: []string{"A=", "B=c=d"}, Cwd: "/", Core: 3, Cores: []int{1, 2}, Quota: 64 << 20, Stdin: true, Trace: true, Capabilities: []string{Log, Inspect}, Runs: 7, Kill: 1000, Weight: 300, Reserve: &Reservation{Period: 10e6, Budget: 2e6, Deadline: 5e6},
		}},
		Summary: true, Link: true, PowerOff: true,
	}
}

func TestRoundTrip(t *testing.T) {
	m := valid()
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("got %+v, want %+v", got, m)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(*Manifest)
	}{
		{"exclude each other", func(m *Manifest) { m.Prompt = true }},
		{"without a link", func(m *Manifest) { m.Link = false }},
		{"can be shown", func(m *Manifest) { m.Programs[0].Name = "" }},
		{"can be shown", func(m *Manifest) { m.Programs[0].Name = strings.Repeat("x", 32) }},
		{"no path", func(m *Manifest) { m.Programs[0].Path = "/bin/hello" }},
		{"no argv", func(m *Manifest) { m.Programs[0].Args = nil }},
		{"no capability \"root\"", func(m *Manifest) { m.Programs[0].Capabilities = []string{Log, "root"} }},
		{"core 3 has no devices", func(m *Manifest) { m.Programs[0].Capabilities = []string{Log, Devices} }},
		{"not absolute", func(m *Manifest) { m.Programs[0].Cwd = "tmp" }},
		{"core -1", func(m *Manifest) { m.Programs[0].Core = -1 }},
		{"no core -2", func(m *Manifest) { m.Programs[0].Cores[1] = -2 }},
		{"core 3 is named twice", func(m *Manifest) { m.Programs[0].Cores[1] = 3 }},
		{"at most 64 can be given", func(m *Manifest) { m.Programs[0].Cores = make([]int, 64) }},
		{"-1 runs", func(m *Manifest) { m.Programs[0].Runs = -1 }},
		{"after -1 us", func(m *Manifest) { m.Programs[0].Kill = -1 }},
		{"-1 is no weight", func(m *Manifest) { m.Programs[0].Weight = -1 }},
		{"10001 is no weight", func(m *Manifest) { m.Programs[0].Weight = 10001 }},
		{"the budget is at least", func(m *Manifest) { m.Programs[0].Reserve.Budget = 0 }},
		{"NUL", func(m *Manifest) { m.Programs[0].Args[1] = "a\x00b" }},
		{"KEY=VALUE", func(m *Manifest) { m.Programs[0].Env[0] = "=x" }},
		{"at most", func(m *Manifest) { m.Programs = make([]Program, MaxPrograms+1) }},
	} {
		m := valid()
		c.edit(m)
		if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want an error with %q, got %v", c.want, err)
		}
	}
}

// TestDevicesOnCore0: there they can be given.
func TestDevicesOnCore0(t *testing.T) {
	m := valid()
	m.Programs[0].Core, m.Programs[0].Capabilities = 0, []string{Devices}
	if err := m.Check(); err != nil {
		t.Error(err)
	}
}

func TestDecodeRefusesStrangers(t *testing.T) {
	for _, s := range []string{"", "{", `{"Later":1}`, "{}{}", "[]"} {
		if m, err := Decode([]byte(s)); err == nil {
			t.Errorf("Decode(%q) = %+v", s, m)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b, _ := valid().Encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		if _, err := m.Encode(); err != nil {
			t.Fatalf("decoded but does not encode: %v", err)
		}
	})
}

func TestParseCores(t *testing.T) {
	for list, want := range map[string][]int{
		"3": {3}, "0-3": {0, 1, 2, 3}, "2,0": {2, 0}, "0,2,4-5": {0, 2, 4, 5}, "5-5": {5}, "253": {253},
	} {
		if got, err := ParseCores(list); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
	for list, want := range map[string]string{
		"": "no list", "a": "no list", "1,": "no list", "-1": "no list", "1-": "no list", "1-2-3": "no list", " 1": "no list",
		"254": "no list", "99999999999999999999": "no list", "3-1": "down to 1",
	} {
		if got, err := ParseCores(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want an error with %q", list, got, err, want)
		}
	}
}
