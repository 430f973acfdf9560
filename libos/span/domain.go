package span

import (
	"sync/atomic"

	"skerry/abi/linux"
)

// Actions is what the signals of a program do.
type Actions = [linux.NSIG]linux.Sigaction

// Publish makes the actions known to all dispatchers: from when it returns on,
// whoever asks by ReadActions has them. Home alone calls it.
//
// The frame holds them twice. Publish writes the half that is not in force and then
// changes the version: a reader that finds the version unchanged has read a half
// that nobody wrote meanwhile, and no reader waits for home.
func (f *Frame) Publish(actions *Actions) {
	c := f.control()
	version := c.version + 1
	c.actions[version&1] = *actions
	atomic.StoreUint64(&c.version, version)
}

// ReadActions copies the actions if they have changed since it last did, and says
// whether.
func (f *Frame) ReadActions(actions *Actions) bool {
	c := f.control()
	version := atomic.LoadUint64(&c.version)
	if version == f.version {
		return false
	}
	for {
		*actions = c.actions[version&1]
		again := atomic.LoadUint64(&c.version)
		if again == version {
			f.version = version
			return true
		}
		version = again
	}
}

// End says that the domain ends: how (abi.Exit…), with what code, and with what
// last words, of which 256 bytes count. Who says so first decides; others learn
// that by false. Home is to be rung.
func (f *Frame) End(kind uint32, code uint64, text []byte) bool {
	c := f.control()
	if !atomic.CompareAndSwapUint32(&c.ending, 0, 1) {
		return false
	}
	c.kind, c.code = kind, code
	c.length = uint32(copy(c.text[:], text))
	atomic.StoreUint32(&c.ended, 1)
	atomic.OrUint64(&f.dispatcher(Home).mail, mailEnd)
	f.toRing |= 1 << Home
	return true
}

// Ended returns what End has been told; ok is false if nobody has called it.
func (f *Frame) Ended() (kind uint32, code uint64, text []byte, ok bool) {
	c := f.control()
	if atomic.LoadUint32(&c.ended) == 0 {
		return 0, 0, nil, false
	}
	return c.kind, c.code, c.text[:min(c.length, lastWords)], true
}
