package check

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// segment is a part of the program's memory that its file holds.
type segment struct {
	addr uint64
	data []byte
}

// program is a linked program.
type program struct {
	segments  []segment
	functions []*function // by address
	byName    map[string]*function
	objects   map[string]elf.Symbol
}

// function is a function of the program.
type function struct {
	name       string
	addr, size uint64
}

func open(path string) (*program, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("%v code, not x86-64", file.Machine)
	}
	p := &program{byName: make(map[string]*function), objects: make(map[string]elf.Symbol)}
	for _, s := range file.Progs {
		if s.Type == elf.PT_LOAD {
			data := make([]byte, s.Filesz)
			if _, err := s.ReadAt(data, 0); err != nil {
				return nil, err
			}
			p.segments = append(p.segments, segment{s.Vaddr, data})
		}
	}
	symbols, err := file.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_FUNC:
			if s.Size == 0 || p.read(s.Value, s.Size) == nil {
				continue
			}
			f := &function{s.Name, s.Value, s.Size}
			p.functions = append(p.functions, f)
			p.byName[s.Name] = f
		case elf.STT_OBJECT:
			p.objects[s.Name] = s
		}
	}
	slices.SortFunc(p.functions, func(a, b *function) int {
		if a.addr != b.addr {
			return int(int64(a.addr - b.addr))
		}
		return strings.Compare(a.name, b.name)
	})
	return p, nil
}

// read returns n bytes of the program's memory, nil if its file does not hold
// them.
func (p *program) read(addr, n uint64) []byte {
	for _, s := range p.segments {
		if at := addr - s.addr; addr >= s.addr && at <= uint64(len(s.data)) && n <= uint64(len(s.data))-at {
			return s.data[at : at+n]
		}
	}
	return nil
}

// at returns the function that holds an address, or nil.
func (p *program) at(addr uint64) *function {
	i := sort.Search(len(p.functions), func(i int) bool { return p.functions[i].addr > addr })
	if i == 0 {
		return nil
	}
	if f := p.functions[i-1]; addr < f.addr+f.size {
		return f
	}
	return nil
}

// abi0 is what the linker adds to the name of an assembly function, or of a
// wrapper for assembly to call, if there is a function for Go of that name.
const abi0 = ".abi0"

// plain returns a function's name as the source has it.
func plain(name string) string { return strings.TrimSuffix(name, abi0) }

// lookup returns the function of a name, the one for assembly to call if there
// are two.
func (p *program) lookup(name string) *function {
	if f := p.byName[name+abi0]; f != nil {
		return f
	}
	return p.byName[name]
}

// table returns the functions in a variable that is an array of functions: of
// addresses of closures without variables, whose first word is their code.
// Nil elements are left out.
func (p *program) table(name string) ([]*function, error) {
	s, ok := p.objects[name]
	if !ok {
		return nil, fmt.Errorf("no variable %s", name)
	}
	data := p.read(s.Value, s.Size)
	if data == nil {
		return nil, fmt.Errorf("variable %s has no initial value in the file", name)
	}
	var list []*function
	for ; len(data) >= 8; data = data[8:] {
		word := binary.LittleEndian.Uint64(data)
		if word == 0 {
			continue
		}
		code := p.read(word, 8)
		if code == nil {
			return nil, fmt.Errorf("variable %s holds %#x, which is no function", name, word)
		}
		f := p.at(binary.LittleEndian.Uint64(code))
		if f == nil || f.addr != binary.LittleEndian.Uint64(code) {
			return nil, fmt.Errorf("variable %s holds %#x, which is no function", name, word)
		}
		list = append(list, f)
	}
	return list, nil
}
