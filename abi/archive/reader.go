package archive

import "unsafe"

// Error says why an archive cannot be opened or a path not be found.
type Error uint32

// The errors of this package.
const (
	OK            Error = iota
	ErrCorrupt          // not an archive, another version, or structures out of bounds
	ErrNotFound         // no such name
	ErrNotDir           // a component that must be a directory is none
	ErrLoop             // more than LinksMax symbolic links
	ErrNameTooBig       // a component longer than NameMax
	numErrors
)

var errorText = [numErrors]string{
	OK:            "no error",
	ErrCorrupt:    "not a boot archive of this version, or a damaged one",
	ErrNotFound:   "no such file",
	ErrNotDir:     "not a directory",
	ErrLoop:       "too many symbolic links",
	ErrNameTooBig: "name too long",
}

// Error makes Error an error value.
func (e Error) Error() string { return e.String() }

// String returns the error's text.
func (e Error) String() string {
	if e < numErrors {
		return errorText[e]
	}
	return "unknown error"
}

// Archive is an archive that lies in memory. It is a plain value without
// pointers and may be copied; the memory must stay mapped while it is used.
type Archive struct {
	base         uintptr
	size         uint64
	entryOffset  uint64
	stringOffset uint64
	stringSize   uint64
	entries      uint32
}

// Node is the number of an entry.
type Node uint32

// Root is the root directory; None is no node.
const (
	Root Node = 0
	None Node = ^Node(0)
)

// pointer turns an address that the compiler knows nothing of into a pointer.
func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// within says whether [offset, offset+length) lies in [0, size).
func within(offset, length, size uint64) bool { return length <= size && offset <= size-length }

// Open checks the header of the archive at address base, which has size bytes
// of readable memory (more than the archive's own size is fine), and returns a
// reader. It reads the header and the root entry only, so its cost does not
// depend on the number of files; Verify reads all. An entry that is out of
// bounds is seen when it is used: to a reader it has no children and no data.
func Open(base uintptr, size uint64) (Archive, Error) {
	if base == 0 || base%8 != 0 || size < HeaderSize || size > uint64(-base) {
		return Archive{}, ErrCorrupt
	}
	h := (*Header)(pointer(base))
	a := Archive{
		base: base, size: h.Size,
		entryOffset: h.EntryOffset, stringOffset: h.StringOffset,
		stringSize: h.StringSize, entries: h.Entries,
	}
	switch {
	case h.Magic != Magic, h.Version != Version,
		h.Size > size, h.Size < HeaderSize, h.Size%PageSize != 0,
		h.Entries == 0, Node(h.Entries) == None, h.EntryOffset%8 != 0,
		!within(h.EntryOffset, uint64(h.Entries)*EntrySize, h.Size),
		!within(h.StringOffset, h.StringSize, h.Size):
		return Archive{}, ErrCorrupt
	}
	if a.Mode(Root)&ModeType != ModeDirectory {
		return Archive{}, ErrCorrupt
	}
	return a, OK
}

// Size returns the archive's size in bytes, a multiple of PageSize.
func (a *Archive) Size() uint64 { return a.size }

// Nodes returns the number of entries; nodes are numbered from 0.
func (a *Archive) Nodes() int { return int(a.entries) }

// entry returns where node n lies, or 0 if there is no such node.
func (a *Archive) entry(n Node) uintptr {
	if uint32(n) >= a.entries {
		return 0
	}
	return a.base + uintptr(a.entryOffset) + uintptr(n)*EntrySize
}

// Mode returns the Linux st_mode of n, or 0 if there is no such node.
func (a *Archive) Mode(n Node) uint32 {
	p := a.entry(n)
	if p == 0 {
		return 0
	}
	return (*Entry)(pointer(p)).Mode
}

// IsDir says whether n is a directory.
func (a *Archive) IsDir(n Node) bool { return a.Mode(n)&ModeType == ModeDirectory }

// Links returns the number of links to n as Linux counts them.
func (a *Archive) Links(n Node) uint32 {
	p := a.entry(n)
	if p == 0 {
		return 0
	}
	return (*Entry)(pointer(p)).Links
}

// ModTime returns when n was last changed, as Unix time in nanoseconds.
func (a *Archive) ModTime(n Node) int64 {
	p := a.entry(n)
	if p == 0 {
		return 0
	}
	return (*Entry)(pointer(p)).ModTime
}

// Parent returns the directory that holds n; the root's is the root.
func (a *Archive) Parent(n Node) Node {
	p := a.entry(n)
	if p == 0 {
		return Root
	}
	// A parent precedes its children: whoever climbs, arrives.
	parent := Node((*Entry)(pointer(p)).Parent)
	if parent >= n {
		return Root
	}
	return parent
}

// Name returns the name of n in its directory; the root's is empty. The string
// lies in the archive's memory.
func (a *Archive) Name(n Node) string {
	p := a.entry(n)
	if p == 0 {
		return ""
	}
	e := (*Entry)(pointer(p))
	if !within(uint64(e.Name), uint64(e.NameSize), a.stringSize) {
		return ""
	}
	return unsafe.String((*byte)(pointer(a.base+uintptr(a.stringOffset)+uintptr(e.Name))), int(e.NameSize))
}

// FileSize returns the bytes of a regular file's data or of a link's target; 0 for
// a directory and for an entry out of bounds.
func (a *Archive) FileSize(n Node) uint64 {
	_, size := a.Data(n)
	return size
}

// Data returns where the data of n lies: its offset from the archive's start
// and its size. A regular file's offset is a multiple of PageSize, and what
// follows the data on its last page is zero.
func (a *Archive) Data(n Node) (offset, size uint64) {
	p := a.entry(n)
	if p == 0 {
		return 0, 0
	}
	e := (*Entry)(pointer(p))
	kind := e.Mode & ModeType
	if kind != ModeRegular && kind != ModeLink ||
		kind == ModeRegular && e.Data%PageSize != 0 ||
		!within(e.Data, e.Size, a.size) {
		return 0, 0
	}
	return e.Data, e.Size
}

// Address returns where the data of n lies in memory, and its size.
func (a *Archive) Address(n Node) (address uintptr, size uint64) {
	offset, size := a.Data(n)
	return a.base + uintptr(offset), size
}

// Target returns what the symbolic link n points to, in the archive's memory;
// "" if n is none.
func (a *Archive) Target(n Node) string {
	if a.Mode(n)&ModeType != ModeLink {
		return ""
	}
	offset, size := a.Data(n)
	if size == 0 || size >= PathMax {
		return ""
	}
	return unsafe.String((*byte)(pointer(a.base+uintptr(offset))), int(size))
}

// children returns the first child of directory n and how many there are.
func (a *Archive) children(n Node) (first, count uint32) {
	p := a.entry(n)
	if p == 0 {
		return 0, 0
	}
	e := (*Entry)(pointer(p))
	if e.Mode&ModeType != ModeDirectory || e.Children == 0 || e.FirstChild <= uint32(n) ||
		!within(uint64(e.FirstChild), uint64(e.Children), uint64(a.entries)) {
		return 0, 0
	}
	return e.FirstChild, e.Children
}

// Children returns the number of entries in directory n; 0 if n is none.
func (a *Archive) Children(n Node) int {
	_, count := a.children(n)
	return int(count)
}

// Child returns entry i of directory n in the order of names, or None.
func (a *Archive) Child(n Node, i int) Node {
	first, count := a.children(n)
	if i < 0 || uint64(i) >= uint64(count) {
		return None
	}
	return Node(first + uint32(i))
}

// Find returns the child of directory n that is called name, or None. It knows
// nothing of "." and "..".
func (a *Archive) Find(n Node, name string) Node {
	first, count := a.children(n)
	low, high := first, first+count
	for low < high {
		middle := low + (high-low)/2
		other := a.Name(Node(middle))
		if other == name {
			return Node(middle)
		}
		if other < name {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return None
}
