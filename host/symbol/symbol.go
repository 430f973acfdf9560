// Package symbol names addresses in Go programs, from the table that every
// linked Go program carries for its own stack traces.
//
// The host command and tests import it. It must never fail: what it cannot
// name stays a number.
package symbol

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"fmt"
)

// Table names the addresses of one program.
type Table struct {
	t *gosym.Table
}

// New reads the table of an ELF file. A file without one gives a Table that
// names nothing.
func New(file []byte) (t Table) {
	defer func() {
		if recover() != nil { // gosym does not promise to survive a damaged table
			t = Table{}
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return Table{}
	}
	text, tab := f.Section(".text"), f.Section(".gopclntab")
	if text == nil || tab == nil {
		return Table{}
	}
	data, err := tab.Data()
	if err != nil {
		return Table{}
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return Table{}
	}
	return Table{table}
}

// Lookup returns the function that pc lies in, its source file and line.
func (t Table) Lookup(pc uint64) (function, file string, line int, ok bool) {
	if t.t == nil {
		return "", "", 0, false
	}
	file, line, fn := t.t.PCToLine(pc)
	if fn == nil {
		return "", "", 0, false
	}
	return fn.Name, file, line, true
}

// Name returns "function (file:line)" and the address, or the address alone.
func (t Table) Name(pc uint64) string {
	if fn, file, line, ok := t.Lookup(pc); ok {
		return fmt.Sprintf("%#x %s (%s:%d)", pc, fn, file, line)
	}
	return fmt.Sprintf("%#x", pc)
}
