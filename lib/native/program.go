package native

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"

	"skerry/abi"
)

// Program says what a new domain is to run; it becomes the domain's abi.Info.
type Program struct {
	Path  string   // of the ELF in the boot archive
	Cwd   string   // working directory, absolute
	Args  []string // argv, argv[0] included
	Env   []string // KEY=VALUE
	Trace bool     // report unknown Linux calls at exit
	// Replicated gives each of several dispatchers page tables of its own.
	Replicated bool
}

// Encode returns the program as an abi.Info and its strings. It fails when a
// string holds a NUL byte or the whole is larger than abi.InfoMax.
func (p *Program) Encode() ([]byte, error) {
	const header = int(unsafe.Sizeof(abi.Info{}))
	info := abi.Info{
		Magic:   abi.InfoMagic,
		NumArgs: uint32(len(p.Args)),
		NumEnv:  uint32(len(p.Env)),
	}
	if p.Trace {
		info.Flags |= abi.InfoTrace
	}
	if p.Replicated {
		info.Flags |= abi.InfoReplicated
	}
	b := make([]byte, header, 512)
	add := func(offset *uint32, texts ...string) error {
		*offset = uint32(len(b))
		for _, s := range texts {
			if strings.IndexByte(s, 0) >= 0 {
				return fmt.Errorf("%s: NUL byte in %q", p.Path, s)
			}
			b = append(append(b, s...), 0)
		}
		if len(b) > abi.InfoMax {
			return fmt.Errorf("%s: arguments and environment take over %d bytes", p.Path, abi.InfoMax)
		}
		return nil
	}
	for _, part := range []struct {
		offset *uint32
		texts  []string
	}{
		{&info.Program, []string{p.Path}},
		{&info.Cwd, []string{p.Cwd}},
		{&info.Args, p.Args},
		{&info.Env, p.Env},
	} {
		if err := add(part.offset, part.texts...); err != nil {
			return nil, err
		}
	}
	info.Size = uint32(len(b))
	if _, err := binary.Encode(b, binary.LittleEndian, &info); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Path, err)
	}
	return b, nil
}
