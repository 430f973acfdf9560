// Package host_test keeps the modules that tests of several folders use in
// go.mod, whatever the order in which those tests come and go.
package host_test

import (
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "golang.org/x/arch/x86/x86asm"
	_ "pgregory.net/rapid"
)
