package main

import (
	"skerry/abi/linux"
	"skerry/libos/files"
	"skerry/libos/vspace"
)

// writeMaps writes the text of /proc/self/maps, as much of it as there is room
// for in the buffer of the file layer.
func writeMaps(f *files.Files) {
	buffer := f.MapsBuffer()
	n := 0
	regions := vspace.Regions()
	for i := range regions.Len() {
		g := regions.At(i)
		var m message
		m.hex(g.Start, 8)
		m.add("-")
		m.hex(g.End, 8)
		m.add(" ")
		m.flag(g.Prot&linux.PROT_READ != 0, "r")
		m.flag(g.Prot&linux.PROT_WRITE != 0, "w")
		m.flag(g.Prot&linux.PROT_EXEC != 0, "x")
		if g.Kind == vspace.BackFrame {
			m.add("s ")
		} else {
			m.add("p ")
		}
		m.hex(g.Offset, 8)
		m.add(" 00:00 0")
		switch {
		case g.Kind == vspace.BackFrame:
			m.add("                          [frame]")
		case g.Kind != vspace.BackZero:
			m.add("                          /proc/self/exe")
		case g.End == stackTop():
			m.add("                          [stack]")
		}
		m.add("\n")
		if n+m.n > len(buffer) {
			break
		}
		n += copy(buffer[n:], m.text[:m.n])
	}
	f.SetMaps(n)
}

// hex adds a number with at least so many digits.
func (m *message) hex(v uint64, least int) {
	for digits := least; digits > 1 && v>>(4*(digits-1)) == 0; digits-- {
		m.add("0")
	}
	m.number(v, 16)
}

// flag adds a letter, or a dash.
func (m *message) flag(set bool, letter string) {
	if !set {
		letter = "-"
	}
	m.add(letter)
}
