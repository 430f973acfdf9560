package machine

import (
	"errors"
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	typed "skerry/lib/capability"
	"skerry/lib/channel/lmp"
	"skerry/lib/native"
	"skerry/lib/native/endpoint"
	"skerry/lib/native/home"
	"skerry/lib/native/slots"
	"skerry/lib/session"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// ErrNone says that the program has no session: it was not given messages, or does not
// run on Skerry (ErrElsewhere).
var (
	ErrNone      = errors.New("the program was not given messages: start it with --give messages, or say so in the manifest")
	ErrElsewhere = errors.New("the program does not run on Skerry")
)

// Open begins the session that the program was given. It is to be called once.
func Open() (*Machine, error) {
	if _, err := native.Memory(); err != nil {
		return nil, ErrElsewhere
	}
	if _, err := native.Identify(exchangeNode); err != nil {
		return nil, ErrNone
	}
	ring, sleep, hints, err := frames()
	if err != nil {
		return nil, fmt.Errorf("begin the session with the monitor: %w", err)
	}
	board := new(urpc.Board)
	board.Attach(hints, sleep)
	set, err := wait.Open(board)
	if err != nil {
		return nil, fmt.Errorf("begin the session with the monitor: %w", err)
	}
	c := new(urpc.Channel)
	session.AttachProgram(c, ring)
	return newMachine(kernel{}, c, set)
}

// frames returns where the frames of the session are mapped. The monitor has mapped them
// where only home has them; a program on several cores maps them for all.
func frames() (ring, sleep, hints uintptr, err error) {
	if home.Alone() {
		return abi.SessionBase, abi.SessionBase + abi.SessionSleep, abi.SessionBase + abi.SessionHints, nil
	}
	var at [3]uintptr
	for i, size := range [...]uint64{abi.SessionRing, abi.PageSize, abi.PageSize} {
		slot := capability.Base(capability.SlotSession + uint32(i))
		if at[i], err = native.Map(slot, 0, size, abi.ProtRead|abi.ProtWrite); err != nil {
			return 0, 0, 0, err
		}
	}
	return at[0], at[1], at[2], nil
}

// exchangeNode is the exchange itself.
var exchangeNode = capability.LevelOneReference(capability.Exchange(0).L1())

// kernel is the system that a program on Skerry has.
type kernel struct{}

func (kernel) put(slot uint8, c capability.Reference, rights capability.Rights) error {
	return typed.L2CNode(exchangeNode).Mint(uint32(slot), c, rights)
}

func (kernel) take(slot uint8) (capability.Reference, error) {
	return slots.Take(capability.Exchange(uint32(slot)))
}

func (kernel) base(slot uint8) (uint64, error) {
	d, err := native.Identify(capability.Exchange(uint32(slot)))
	if err == nil && d.Type != capability.Frame {
		err = capability.ErrType
	}
	return d.Base, err
}

func (kernel) empty(slot uint8) error { return slots.Empty(capability.Exchange(uint32(slot))) }

func (kernel) slot() (capability.Reference, error) { return native.Slot() }

func (kernel) typeOf(c capability.Reference) capability.Type {
	// Of one that cannot be identified the type is Null.
	d, _ := native.Identify(c)
	return d.Type
}

func (kernel) drop(c capability.Reference) error { return slots.Drop(c) }

func (kernel) mapped(frame capability.Reference, bytes uint64, writable bool) (uintptr, error) {
	prot := abi.ProtRead
	if writable {
		prot |= abi.ProtWrite
	}
	return native.Map(frame, 0, bytes, prot)
}

func (kernel) unmap(at uintptr, bytes uint64) error { return native.Unmap(at, bytes) }

func (k kernel) doorbell(c capability.Reference) (peerDoorbell, error) {
	d, err := native.Identify(c)
	if err != nil {
		return peerDoorbell{}, err
	}
	if d.Type == capability.RemoteDoorbell {
		return peerDoorbell{ring: typed.RemoteDoorbell(c).Ring}, nil
	}
	bell := peerDoorbell{ring: typed.Doorbell(c).Ring}
	if !k.several() {
		bell.give = func() { _ = native.Yield(c) } // it fails if the peer is gone
	}
	return bell, nil
}

func (kernel) ringMonitor() error {
	return typed.Doorbell(capability.Base(capability.SlotSupervisor)).Ring()
}

func (k kernel) yieldToMonitor() {
	if !k.several() {
		_ = native.Yield(capability.Base(capability.SlotSupervisor)) // there is one
	}
}

func (kernel) several() bool { return !home.Alone() }

func (kernel) endpoint(depth int) (endpoint.Endpoint, error) { return lmp.NewEndpoint(depth) }

func (kernel) revoke(e endpoint.Endpoint) error { return lmp.Revoke(e) }

func (kernel) connect(c lmp.Config) (conn, error) { return lmp.New(c) }
