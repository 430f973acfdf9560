package direct_test

import (
	"errors"
	"sync"
	"testing"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/channel/direct"
)

// cspace stands for a program's capabilities: which there are, by slot.
type cspace struct {
	sync.Mutex
	slots map[capability.Reference]int // what is in them
	next  capability.Reference
}

func newCSpace() *cspace {
	return &cspace{slots: map[capability.Reference]int{257: 1}, next: 258}
}

func (s *cspace) copy(r capability.Reference) (capability.Reference, error) {
	s.Lock()
	defer s.Unlock()
	what, ok := s.slots[r]
	if !ok {
		return 0, capability.ErrEmpty
	}
	s.next++
	s.slots[s.next] = what
	return s.next, nil
}

func (s *cspace) drop(r capability.Reference) error {
	s.Lock()
	defer s.Unlock()
	if _, ok := s.slots[r]; !ok {
		return capability.ErrEmpty
	}
	delete(s.slots, r)
	return nil
}

var binding = channel.Binding{Transport: channel.TransportDirect}

func TestConn(t *testing.T) {
	s := newCSpace()
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportDirect,
		Connect: func(testing.TB) (channel.Conn, channel.Conn) {
			return direct.New(5, binding, direct.Capabilities{Copy: s.copy, Drop: s.drop})
		},
		Kill:       func(_ testing.TB, _, b channel.Conn) { b.Close() },
		Capability: func(testing.TB, channel.Conn) capability.Reference { return 257 },
		Same: func(_ testing.TB, sent, received capability.Reference) bool {
			return sent != received && s.slots[sent] == s.slots[received]
		},
		Most: 5,
	})
}

// TestNoCapabilities sends capabilities where there are none.
func TestNoCapabilities(t *testing.T) {
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportDirect,
		Connect: func(testing.TB) (channel.Conn, channel.Conn) {
			return direct.New(0, binding, direct.Capabilities{})
		},
	})
}

// TestDropped checks that no capability is left that nobody has received, whichever
// end is closed and whenever.
func TestDropped(t *testing.T) {
	for i := range 2000 {
		s := newCSpace()
		ends := [2]channel.Conn{}
		ends[0], ends[1] = direct.New(3, binding, direct.Capabilities{Copy: s.copy, Drop: s.drop})
		received := 0
		var all sync.WaitGroup
		all.Go(func() {
			for {
				err := ends[0].TrySend(&channel.Message{Kind: 1, Capability: 257})
				if err != nil && err != channel.ErrFull {
					return
				}
			}
		})
		all.Go(func() {
			var m channel.Message
			for range i % 5 {
				if err := ends[1].Receive(t.Context(), &m); err != nil {
					t.Error(err)
				}
				received++
			}
			ends[(i>>1)&1].Close()
			ends[1-(i>>1)&1].Close()
		})
		all.Wait()
		if len(s.slots) != 1+received {
			t.Fatalf("run %d: %d capabilities are there, %d were received", i, len(s.slots)-1, received)
		}
	}
	a, _ := direct.New(1, binding, direct.Capabilities{Copy: newCSpace().copy})
	if err := a.TrySend(&channel.Message{Kind: 1, Capability: 9}); !errors.Is(err, capability.ErrEmpty) {
		t.Error(err)
	}
}
