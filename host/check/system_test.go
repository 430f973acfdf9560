package check

import "testing"

func TestLibos(t *testing.T) {
	clean(t, Libos, "main.entry", "skerry/libos")
}

func TestKernel(t *testing.T) {
	clean(t, Kernel, "skerry/kernel/boot.entry", "skerry/kernel")
}

// clean builds a program and checks that nothing is found in it.
func clean(t *testing.T, config Config, entry, program string) {
	t.Helper()
	r, err := Check(build(t, "-ldflags=-E "+entry, program), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Error(f)
	}
	for _, p := range r.Paths {
		t.Log(p)
	}
	t.Logf("%d functions reached", r.Functions)
}
