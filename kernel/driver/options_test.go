package driver

import "testing"

func TestParseOptions(t *testing.T) {
	none := options{panicCore: -1}
	for line, want := range map[string]options{
		"":                             none,
		"quiet":                        none,
		"panic=2:500":                  {panicCore: 2, panicAfter: 500},
		" a panic=0:1\tb=c ":           {panicCore: 0, panicAfter: 1},
		"panic=1:2 panic=3:4":          {panicCore: 3, panicAfter: 4},
		"trap=1:7":                     {panicCore: 1, panicAfter: 7, trap: true},
		"panic=":                       none,
		"panic=1":                      none,
		"panic=x:1":                    none,
		"panic=1:-1":                   none,
		"panic=1:99999999999999999999": none,
		"xpanic=1:1":                   none,
	} {
		if got := parseOptions(line); got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}
