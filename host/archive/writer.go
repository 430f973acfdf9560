// Package archive writes boot archives: the read-only file trees that images
// carry (their layout is in package abi/archive).
//
// It is for programs of the host that build images, and for tests. It is
// ordinary Go. It must never read or write anything but the folders it is told
// to add and the writer it is given, and the same files must always give the
// same bytes.
package archive

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sort"
	"strings"
	"time"

	"skerry/abi/archive"
)

// File is one file, directory or symbolic link to put into an archive.
type File struct {
	// Path is where it lies in the archive. Paths are rooted: "/a/b" and
	// "a/b" are the same.
	Path string
	// Mode holds the type (regular, directory or symbolic link) and the
	// permissions.
	Mode fs.FileMode
	// ModTime is when it was last changed; the zero time becomes 1970.
	ModTime time.Time
	// Size is the number of bytes that Open's reader will give.
	Size int64
	// Open opens a regular file's contents. It is called once, when their
	// turn has come; nil is fine for an empty file.
	Open func() (io.ReadCloser, error)
	// Target is what a symbolic link points to.
	Target string
}

// node is an entry while the tree is laid out.
type node struct {
	file     *File // nil for a directory that nobody named
	path     string
	name     string
	children map[string]*node
	order    []*node // children by name
	entry    archive.Entry
}

func (n *node) isDir() bool { return n.children != nil }

// Write writes an archive of files to w and returns its size in bytes.
// Directories that are on the way to a file but not named are added with mode
// 0755; the order of files does not matter, but that of a directory that is named
// several times the first mode and time count. Contents are streamed: only the
// names are held in memory. Nothing is written if the files do not make a
// tree; if a file cannot be read, or does not have the size it should, the
// error names it and what was written is of no use.
func Write(w io.Writer, files []File) (int64, error) {
	root, err := tree(files)
	if err != nil {
		return 0, err
	}
	nodes, header, names, err := layout(root)
	if err != nil {
		return 0, err
	}
	out := &counter{w: bufio.NewWriterSize(w, 1<<16)}
	if err := binary.Write(out, binary.LittleEndian, header); err != nil {
		return 0, err
	}
	for _, n := range nodes {
		if err := binary.Write(out, binary.LittleEndian, &n.entry); err != nil {
			return 0, err
		}
	}
	if _, err := io.WriteString(out, names); err != nil {
		return 0, err
	}
	for _, n := range nodes {
		if n.entry.Mode&archive.ModeType != archive.ModeRegular || n.entry.Size == 0 {
			continue
		}
		if err := out.pad(int64(n.entry.Data)); err != nil {
			return 0, err
		}
		if err := copyFile(out, n); err != nil {
			return 0, err
		}
	}
	if err := out.pad(int64(header.Size)); err != nil {
		return 0, err
	}
	return out.n, out.w.Flush()
}

// tree arranges files by directory.
func tree(files []File) (*node, error) {
	root := &node{path: "/", children: map[string]*node{}}
	for i := range files {
		f := &files[i]
		if err := check(f); err != nil {
			return nil, err
		}
		at := root
		rest := strings.TrimPrefix(f.Path, "/")
		for rest != "" {
			name, tail, _ := strings.Cut(rest, "/")
			if !at.isDir() {
				return nil, fmt.Errorf("archive: %s: %s is no directory, so nothing can lie in it", f.Path, at.path)
			}
			next := at.children[name]
			if next == nil {
				next = &node{path: strings.TrimSuffix(at.path, "/") + "/" + name, name: name}
				if tail != "" || f.Mode.IsDir() {
					next.children = map[string]*node{}
				}
				at.children[name] = next
			} else if tail == "" && !(next.isDir() && f.Mode.IsDir()) {
				return nil, fmt.Errorf("archive: %s is given twice", next.path)
			}
			at, rest = next, tail
		}
		if at == root && !f.Mode.IsDir() {
			return nil, fmt.Errorf("archive: / must be a directory")
		}
		if at.file == nil {
			at.file = f
		}
	}
	return root, nil
}

// check says what is wrong with f by itself.
func check(f *File) error {
	path := strings.TrimPrefix(f.Path, "/")
	if f.Path == "" || path != "" && !validPath(path) {
		return fmt.Errorf("archive: %q is not a clean path", f.Path)
	}
	for name := range strings.SplitSeq(path, "/") {
		if len(name) > archive.NameMax {
			return fmt.Errorf("archive: %s: a name is longer than %d bytes", f.Path, archive.NameMax)
		}
	}
	if len(path)+2 > archive.PathMax {
		return fmt.Errorf("archive: %s: the path is longer than %d bytes", f.Path, archive.PathMax)
	}
	switch f.Mode.Type() {
	case 0:
		if f.Size < 0 || f.Size > 0 && f.Open == nil {
			return fmt.Errorf("archive: %s: %d bytes and nothing to read them from", f.Path, f.Size)
		}
	case fs.ModeDir:
	case fs.ModeSymlink:
		if f.Target == "" || len(f.Target) >= archive.PathMax || strings.Contains(f.Target, "\x00") {
			return fmt.Errorf("archive: %s: a symbolic link cannot point to %q", f.Path, f.Target)
		}
	default:
		return fmt.Errorf("archive: %s is a %s: an archive holds files, directories and symbolic links", f.Path, kind(f.Mode))
	}
	return nil
}

// validPath is fs.ValidPath for names of any bytes: Linux does not ask for
// UTF-8.
func validPath(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." || name == ".." || strings.Contains(name, "\x00") {
			return false
		}
	}
	return true
}

// kind names the type of a file that an archive cannot hold.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// layout numbers the nodes of a tree, parents before their children, and
// places names and data. It returns them in order, the header, and the strings.
func layout(root *node) ([]*node, *archive.Header, string, error) {
	nodes := []*node{root}
	var names strings.Builder
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		e := &n.entry
		e.Mode, e.Links = 0o755|archive.ModeDirectory, 1
		if n.file != nil {
			e.Mode = mode(n.file.Mode)
			if t := n.file.ModTime; !t.IsZero() {
				e.ModTime = t.UnixNano()
			}
		}
		e.Name, e.NameSize = uint32(names.Len()), uint32(len(n.name))
		names.WriteString(n.name)
		switch e.Mode & archive.ModeType {
		case archive.ModeRegular:
			e.Size = uint64(n.file.Size)
		case archive.ModeLink:
			e.Size = uint64(len(n.file.Target))
		}
		if !n.isDir() {
			continue
		}
		e.Links = 2
		for _, child := range n.children {
			n.order = append(n.order, child)
			if child.isDir() {
				e.Links++
			}
		}
		sort.Slice(n.order, func(i, j int) bool { return n.order[i].name < n.order[j].name })
		if len(n.order) > 0 {
			e.FirstChild, e.Children = uint32(len(nodes)), uint32(len(n.order))
		}
		for _, child := range n.order {
			child.entry.Parent = uint32(i)
		}
		nodes = append(nodes, n.order...)
	}

	header := &archive.Header{
		Magic: archive.Magic, Version: archive.Version,
		Entries: uint32(len(nodes)), EntryOffset: archive.HeaderSize,
	}
	header.StringOffset = header.EntryOffset + uint64(len(nodes))*archive.EntrySize
	for _, n := range nodes {
		if n.entry.Mode&archive.ModeType == archive.ModeLink {
			n.entry.Data = header.StringOffset + uint64(names.Len())
			names.WriteString(n.file.Target)
		}
	}
	header.StringSize = uint64(names.Len())
	if len(nodes) >= math.MaxUint32 || names.Len() > math.MaxUint32 {
		return nil, nil, "", fmt.Errorf("archive: %d files are too many for one archive", len(nodes))
	}
	end := pageUp(header.StringOffset + header.StringSize)
	for _, n := range nodes {
		if n.entry.Mode&archive.ModeType == archive.ModeRegular && n.entry.Size > 0 {
			n.entry.Data = end
			end = pageUp(end + n.entry.Size)
			if end > math.MaxInt64/2 {
				return nil, nil, "", fmt.Errorf("archive: %s: %d bytes are too many for one archive", n.path, n.entry.Size)
			}
		}
	}
	header.Size = end
	return nodes, header, names.String(), nil
}

func pageUp(n uint64) uint64 { return (n + archive.PageSize - 1) &^ (archive.PageSize - 1) }

// mode is the Linux st_mode of m.
func mode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	switch m.Type() {
	case fs.ModeDir:
		return bits | archive.ModeDirectory
	case fs.ModeSymlink:
		return 0o777 | archive.ModeLink
	}
	return bits | archive.ModeRegular
}

// copyFile writes the contents of n, which must be as long as announced.
func copyFile(out *counter, n *node) error {
	r, err := n.file.Open()
	if err != nil {
		return fmt.Errorf("archive: %s: %w", n.path, err)
	}
	defer r.Close()
	start := out.n
	// One byte more than announced shows a file that has grown.
	if _, err := io.Copy(out, io.LimitReader(r, n.file.Size+1)); err != nil {
		return fmt.Errorf("archive: %s: %w", n.path, err)
	}
	if got := out.n - start; got != n.file.Size {
		return fmt.Errorf("archive: %s changed while it was read: its size was %d bytes and is not any more", n.path, n.file.Size)
	}
	return nil
}

// counter is a buffered writer that knows where it is.
type counter struct {
	w *bufio.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// pad writes zeroes up to offset.
func (c *counter) pad(offset int64) error {
	var zeroes [archive.PageSize]byte
	for c.n < offset {
		if _, err := c.Write(zeroes[:min(offset-c.n, archive.PageSize)]); err != nil {
			return err
		}
	}
	return nil
}
