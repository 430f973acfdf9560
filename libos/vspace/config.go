package vspace

import (
	"unsafe"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/carrier"
)

// Config says what a space stands on. Functions must stay what they are: they
// are kept by address.
type Config struct {
	// Kernel makes an invocation: of what capability.Word packed, with up to
	// five words.
	Kernel func(word, a, b, c, d, e uint64) (value uint64, err capability.Error)
	// Supply asks the spawner for a piece of RAM of a number, about that size
	// in bytes, and waits until it is in slot SlotMemory+piece; if frame is set,
	// for a Frame that other dispatchers have too. It returns how large it is.
	// Errors: ErrQuota, ErrMemory.
	Supply func(piece uint32, size uint64, frame bool) (uint64, capability.Error)
	// Return gives a piece back; its slot is empty.
	Return func(piece uint32)
	// Tables is where TablesSize bytes of the libos's heap begin, for the
	// tables of this package; a multiple of 1 GiB.
	Tables uint64
	// CNodes is the end of the slots of the L1 CNode that may be taken, from
	// FirstCNode on; at most MaxCNodes.
	CNodes uint32
	// MostCNodes, if it is more than CNodes, lets the space put larger L1 CNodes
	// in the place of the first, up to that many slots, at most MaxCNodes. All
	// slots are its own then.
	MostCNodes uint32
	// Shared says that the program's part of the address space is shared with
	// other dispatchers: it is [0, abi.SpanTop), with the tables of level 3 at
	// capability.Peer(PeerTables) and after, and its pages must have their contents
	// before they are mapped. RAM is never given back. Settle waits until no core
	// has a translation any more that was taken away.
	Shared bool
	Settle func()
	// Replicated says of such a space that the other dispatchers have tables of
	// their own: there are none to begin with, memory for the program is asked for
	// as frames, and Settle waits until others have forgotten what Taken says.
	Replicated bool
	// Await waits until other cores have forgotten what this core's kernel has
	// taken away, on behalf of whichever domain: until then it holds all RAM back
	// (ErrInUse). nil if there are no other cores.
	Await func()
}

const (
	// FirstCNode is the first slot of the L1 CNode that is taken for a CNode.
	FirstCNode = 8
	// MaxCNodes bounds Config.CNodes and Config.MostCNodes. The slots of so many
	// are enough to map some 16 GiB in small pages.
	MaxCNodes = 4096
	// TablesSize is how much of the libos's heap Config.Tables takes.
	TablesSize = 3 << 30
)

// Where tables begin, counted from Config.Tables. Each is as large as it may
// ever get, and touched only where there is something to say.
const (
	cnodesAt  = 0       // cnode, by number of the L1 slot
	freeAt    = 1 << 18 // a bit for each block
	nodes2At  = 1 << 22 // node, by GiB
	regionsAt = 1 << 23
	recordsAt = 1 << 24           // record, by reference
	blocksAt  = 1 << 25           // block, by number
	windowAt  = 1<<29 - hugeBytes // see fill
	leavesAt  = 1 << 29
	nodes1At  = 1 << 30 // node, by 2 MiB

	maxBlocks  = 1 << 24
	maxLeaves  = 1 << 17
	maxRegions = 65530 // as Linux's default
)

// The tables fit between their places.
const (
	_ = uint(freeAt - cnodesAt - MaxCNodes*unsafe.Sizeof(cnode{}))
	_ = uint(nodes2At - freeAt - maxBlocks/8)
	_ = uint(regionsAt - nodes2At - (abi.ProgramTop>>30)*nodeSize)
	_ = uint(recordsAt - regionsAt - maxRegions*carrier.RegionSize)
	_ = uint(blocksAt - recordsAt - MaxCNodes*capability.L2Slots*recordSize)
	_ = uint(windowAt - blocksAt - maxBlocks*blockSize)
	_ = uint(leavesAt - windowAt - (1+maxZeroWindow)*pageSize)
	_ = uint(nodes1At - leavesAt - maxLeaves*abi.PageSize)
	_ = uint(TablesSize - nodes1At - (abi.ProgramTop>>21)*nodeSize)
)

// space is what there is beside the tables in the heap. All of it is in memory
// that is always mapped.
var space struct {
	kernel, supply, giveBack uintptr // of Config: func values
	tables                   uint64

	// Of a space that is shared: what waits for other cores, and whether
	// something was taken away that they may still have translations of, by
	// tables that they have in common.
	shared  bool
	settles bool // it has such tables
	taken   bool
	settle  uintptr
	await   uintptr

	// Of one that is replicated: see replicated.go.
	replicated           bool
	takenStart, takenEnd uint64
	takenFrom            uint64 // holders; 0: nothing was taken away from any
	freeFrames           uint64 // blocks

	// Slots: see slots.go and cnodes.go.
	cnodes, mostCNodes uint32                 // end of the L1 slots that may be taken, and how far it can get
	larger             capability.Reference   // an empty slot for the next L1 CNode
	cnode              uint32                 // the CNode of which slots are taken, 0 for none
	room               [MaxCNodes / 64]uint64 // a bit for each CNode that has free slots
	freeSlots          uint32

	// RAM: see pieces.go, objects.go and chunks.go.
	pieces     [maxPieces]piece
	numPieces  int    // the end of those in use
	firstPiece int    // no piece before this one has a free block
	held, peak uint64 // bytes of all pieces, and the most there were
	freeBlocks uint64
	idle       bool   // a piece may be in no use at all
	objects    uint32 // number plus one of the first block with room for objects
	inObjects  uint64 // pages of such blocks in use
	chunk      uint32 // number plus one of the current chunk
	partial    uint32 // number plus one of the first other chunk with room
	freePages  uint64 // of all chunks
	heapPages  uint64 // that NestedFault has mapped

	// Addresses: see tables.go, regions.go and fault.go.
	top          [abi.ProgramTop >> 39]node
	spare        uint64 // the empty table that is kept: its number among those of 2 MiB, plus one
	leaves, leaf uint64 // how many leaves were ever used, and the first free one
	regions      carrier.Regions
	breakStart   uint64
	breakEnd     uint64
	next, window uint64 // the page after those of the last fault, and how many these were to be
	noHuge       uint32 // for how many faults huge pages are not tried

	// seen is the page that was last found present, with its protection, until
	// anything is invoked: calls pass the same few addresses again and again.
	seen, seenProt uint64

	resident, max uint64 // pages of the program that are mapped, and the most there were
	own           uint64 // those of them that are the domain's own memory
}

// description is where the CPU driver writes what a capability is.
var description capability.Description

// pointer turns an address that the compiler knows nothing of into a pointer.
func pointer(address uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), address) }

// at is the structure at an address.
func at[T any](address uint64) *T { return (*T)(pointer(uintptr(address))) }

// bytesAt is the memory at an address.
func bytesAt(address, n uint64) []byte {
	return unsafe.Slice((*byte)(pointer(uintptr(address))), int(n))
}
