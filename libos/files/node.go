package files

import (
	"unsafe"

	"skerry/abi/archive"
	"skerry/abi/linux"
)

// node names a file whether open or not. The boot archive's nodes have their
// numbers there; those above have a class in the top four bits.
type node uint32

const (
	root node = 0

	synthBase  node = 0x8000_0000 // + index in synths
	fdBase     node = 0x9000_0000 // + descriptor: the links in /proc/self/fd
	pipeBase   node = 0xa000_0000 // + pipe
	eventBase  node = 0xb000_0000 // + eventfd
	epollBase  node = 0xc000_0000 // + epoll
	streamBase node = 0xd000_0000 // + stream
	noNode     node = 0xffff_ffff
)

func (n node) class() node   { return n & 0xf000_0000 }
func (n node) index() uint32 { return uint32(n & 0x0fff_ffff) }

// archiveNode is n, of the boot archive, as its reader knows it.
func archiveNode(n node) archive.Node { return archive.Node(n) }

// synth is a file that exists in every program's view and in no archive.
type synth struct {
	parent node
	name   string
	mode   uint32
	kind   kind
	rdev   uint64
	target string // of a symbolic link; empty if it is to a node (magic)
	text   uint32 // of kindText
}

// The places in synths of those that are referred to.
const (
	synthDev    = 0
	synthProc   = 1
	synthSkerry = 11
	synthSelf   = 13 // from here on, what lies in /proc/self
	synthExe    = 18
	synthCwd    = 19
	synthRoot   = 20
	synthFD     = 21
	numSynths   = 22
)

// The directories among them.
const (
	devDir    = synthBase + synthDev
	procDir   = synthBase + synthProc
	skerryDir = synthBase + synthSkerry
	selfDir   = synthBase + synthSelf
	fdDir     = synthBase + synthFD
)

// Device numbers: the major times major, plus the (small) minor.
const (
	major          = 256
	deviceMemory   = 1 * major
	deviceDoorbell = 10*major + 200
)

// Types of files with their permissions where all have the same, to keep the table short.
const (
	character = linux.S_IFCHR
	directory = linux.S_IFDIR
	regular   = linux.S_IFREG
	symlink   = linux.S_IFLNK | 0o777
)

var synths = [numSynths]synth{
	synthDev:    {parent: root, name: "dev", mode: directory | 0o755},
	synthProc:   {parent: root, name: "proc", mode: directory | 0o555},
	2:           {parent: devDir, name: "null", mode: character | 0o666, kind: kindNull, rdev: deviceMemory + 3},
	3:           {parent: devDir, name: "zero", mode: character | 0o666, kind: kindZero, rdev: deviceMemory + 5},
	4:           {parent: devDir, name: "full", mode: character | 0o666, kind: kindFull, rdev: deviceMemory + 7},
	5:           {parent: devDir, name: "random", mode: character | 0o666, kind: kindRandom, rdev: deviceMemory + 8},
	6:           {parent: devDir, name: "urandom", mode: character | 0o666, kind: kindURandom, rdev: deviceMemory + 9},
	7:           {parent: devDir, name: "stdin", mode: symlink, target: "/proc/self/fd/0"},
	8:           {parent: devDir, name: "stdout", mode: symlink, target: "/proc/self/fd/1"},
	9:           {parent: devDir, name: "stderr", mode: symlink, target: "/proc/self/fd/2"},
	10:          {parent: devDir, name: "fd", mode: symlink, target: "/proc/self/fd"},
	synthSkerry: {parent: devDir, name: "skerry", mode: directory | 0o755},
	12:          {parent: skerryDir, name: "doorbell", mode: character | 0o444, kind: kindDoorbell, rdev: deviceDoorbell},
	synthSelf:   {parent: procDir, name: "self", mode: directory | 0o555},
	14:          {parent: selfDir, name: "auxv", mode: regular | 0o400, kind: kindText, text: TextAuxv},
	15:          {parent: selfDir, name: "cmdline", mode: regular | 0o444, kind: kindText, text: TextCmdline},
	16:          {parent: selfDir, name: "environ", mode: regular | 0o400, kind: kindText, text: TextEnviron},
	17:          {parent: selfDir, name: "maps", mode: regular | 0o444, kind: kindText, text: textMaps},
	synthExe:    {parent: selfDir, name: "exe", mode: symlink},
	synthCwd:    {parent: selfDir, name: "cwd", mode: symlink},
	synthRoot:   {parent: selfDir, name: "root", mode: symlink},
	synthFD:     {parent: selfDir, name: "fd", mode: directory | 0o500},
}

// synthOf returns the entry of a node of synths.
func synthOf(n node) *synth { return &synths[n.index()%numSynths] }

// mode returns the st_mode of a node.
func (f *Files) mode(n node) uint32 {
	switch n.class() {
	case synthBase:
		return synthOf(n).mode
	case fdBase:
		return linux.S_IFLNK | 0o700
	case pipeBase, streamBase:
		return linux.S_IFIFO | 0o600
	case eventBase, epollBase:
		return 0o600
	}
	if n == noNode {
		return 0
	}
	return f.archive.Mode(archiveNode(n))
}

func (f *Files) isDir(n node) bool  { return f.mode(n)&linux.S_IFMT == linux.S_IFDIR }
func (f *Files) isLink(n node) bool { return f.mode(n)&linux.S_IFMT == linux.S_IFLNK }

// readOnly says whether n lies in what Linux would call a read-only file
// system: the archive, and the directories of devices and of /proc.
func (f *Files) readOnly(n node) bool {
	switch f.mode(n) & linux.S_IFMT {
	case linux.S_IFREG, linux.S_IFDIR, linux.S_IFLNK:
		return true
	}
	return false
}

// parent returns the directory in which a node lies.
func (f *Files) parent(n node) node {
	switch n.class() {
	case synthBase:
		return synthOf(n).parent
	case fdBase:
		return fdDir
	}
	if n >= synthBase {
		return root
	}
	return node(f.archive.Parent(archiveNode(n)))
}

// child returns the node called name in a directory, or noNode.
func (f *Files) child(dir node, name string) node {
	if dir == fdDir {
		fd := uint32(0)
		for i := 0; i < len(name); i++ {
			digit := uint32(name[i]) - '0'
			if digit > 9 || i > 0 && fd == 0 || fd > MaxDescriptors {
				return noNode
			}
			fd = fd*10 + digit
		}
		if len(name) == 0 || f.file(int32(fd)) == nil {
			return noNode
		}
		return fdBase + node(fd)
	}
	if dir == root || dir.class() == synthBase {
		for i := range node(numSynths) {
			if synths[i].parent == dir && synths[i].name == name {
				return synthBase + i
			}
		}
		if dir != root {
			return noNode
		}
	}
	if n := f.archive.Find(archiveNode(dir), name); n != archive.None {
		return node(n)
	}
	return noNode
}

// magic returns the node that a link of /proc/self leads to without a path.
func (f *Files) magic(link node) (node, bool) {
	switch link {
	case synthBase + synthExe:
		return f.exe, true
	case synthBase + synthCwd:
		return f.cwd, true
	case synthBase + synthRoot:
		return root, true
	}
	if link.class() == fdBase {
		if o := f.file(int32(link.index())); o != nil {
			return o.node, true
		}
		return noNode, true
	}
	return noNode, false
}

// target returns the path that a link which is not magic points to.
func (f *Files) target(link node) string {
	if link.class() == synthBase {
		return synthOf(link).target
	}
	return f.archive.Target(archiveNode(link))
}

// digits is room for the decimal form of a uint32.
type digits [10]byte

// decimal writes v into d and returns it.
func decimal(d *digits, v uint32) string {
	at := len(d)
	for {
		at--
		d[at] = '0' + byte(v%10)
		if v /= 10; v == 0 {
			return unsafe.String(&d[at], len(d)-at)
		}
	}
}

// name returns the name of a node in its directory. d may be used for it.
func (f *Files) name(n node, d *digits) string {
	switch n.class() {
	case synthBase:
		return synthOf(n).name
	case fdBase:
		return decimal(d, n.index())
	}
	if n >= synthBase {
		return ""
	}
	return f.archive.Name(archiveNode(n))
}

// path writes what /proc/self/fd or getcwd say of a node: its path, or the
// name of the kind of thing that it is if it has none. It returns the length,
// which may be more than what fitted.
func (f *Files) path(n node, out []byte) int {
	var d digits
	switch n.class() {
	case pipeBase:
		return join(out, "pipe:[", decimal(&d, inode(n)), "]")
	case streamBase:
		return join(out, "pipe:[", decimal(&d, inode(n)), "]")
	case eventBase:
		return join(out, "anon_inode:", "[eventfd]", "")
	case epollBase:
		return join(out, "anon_inode:", "[eventpoll]", "")
	}
	if n == root {
		return join(out, "/", "", "")
	}
	length := 0
	for at := n; at != root; at = f.parent(at) {
		length += 1 + len(f.name(at, &d))
	}
	end := length
	for at := n; at != root; at = f.parent(at) {
		name := f.name(at, &d)
		end -= len(name)
		if end < len(out) {
			copy(out[end:], name)
		}
		end--
		if end < len(out) {
			out[end] = '/'
		}
	}
	return length
}

// join copies three strings and returns their length.
func join(out []byte, a, b, c string) int {
	n := copy(out, a)
	n += copy(out[n:], b)
	copy(out[n:], c)
	return len(a) + len(b) + len(c)
}

// inode is the st_ino of a node, different for all on one st_dev and never 0.
func inode(n node) uint32 { return n.index() + 1 }

// deviceOf is the st_dev of a node.
func deviceOf(n node) uint64 {
	if n.class() == synthBase && n.index() >= synthSelf || n.class() == fdBase || n == procDir {
		return 0x100 + 4
	}
	if n >= synthBase {
		return 0x100 + uint64(n.class()>>28)
	}
	return 0x100
}
