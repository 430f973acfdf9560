package baseline

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// initramfs writes a cpio archive in the "newc" format that Linux unpacks as
// its first root. The first error is kept and returned by close.
type initramfs struct {
	w     io.Writer
	inode int
	dirs  map[string]bool
	err   error
}

func newInitramfs(w io.Writer) *initramfs {
	return &initramfs{w: w, dirs: map[string]bool{"": true}}
}

// Types of files, in the bits of a mode.
const (
	modeDirectory = 0o040000
	modeRegular   = 0o100000
	modeCharacter = 0o020000
)

// file adds a regular file and the directories it stands in.
func (a *initramfs) file(name string, permissions int, data []byte) {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	a.directory(path.Dir(name))
	a.entry(name, modeRegular|permissions, 0, 0, data)
}

// directory adds a directory and those above it, once.
func (a *initramfs) directory(name string) {
	name = strings.Trim(path.Clean("/"+name), "/")
	if a.dirs[name] {
		return
	}
	a.dirs[name] = true
	a.directory(path.Dir(name))
	a.entry(name, modeDirectory|0o755, 0, 0, nil)
}

// device adds a character device.
func (a *initramfs) device(name string, major, minor int) {
	a.directory(path.Dir(name))
	a.entry(name, modeCharacter|0o600, major, minor, nil)
}

// entry writes a header of 6 + 13*8 hexadecimal digits, the name, and the
// data; both are padded to 4 bytes.
func (a *initramfs) entry(name string, mode, major, minor int, data []byte) {
	if a.err != nil {
		return
	}
	a.inode++
	header := "070701"
	for _, field := range []int{
		a.inode, mode, 0, 0, 1, 0, len(data), // inode, mode, uid, gid, links, time, size
		0, 0, major, minor, len(name) + 1, 0, // device, represented device, name's size, checksum
	} {
		header += fmt.Sprintf("%08x", field)
	}
	header += name + "\x00"
	header += strings.Repeat("\x00", -len(header)&3)
	if _, a.err = io.WriteString(a.w, header); a.err != nil {
		return
	}
	if _, a.err = a.w.Write(data); a.err != nil {
		return
	}
	_, a.err = io.WriteString(a.w, strings.Repeat("\x00", -len(data)&3))
}

// close ends the archive.
func (a *initramfs) close() error {
	a.entry("TRAILER!!!", 0, 0, 0, nil)
	return a.err
}
