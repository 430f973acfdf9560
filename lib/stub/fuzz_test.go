package stub_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	abi "skerry/abi/capability"
	"skerry/interface/echo"
	"skerry/interface/store"
	"skerry/lib/channel"
	"skerry/lib/stub"
)

// A script is a connection to a peer that says what a fuzzer has it say, whatever it is
// told, and then leaves.
type script struct {
	data []byte
}

func (s *script) TrySend(*channel.Message) error                   { return nil }
func (s *script) Send(_ context.Context, m *channel.Message) error { return s.TrySend(m) }
func (s *script) Close() error                                     { return nil }
func (s *script) Binding() channel.Binding                         { return channel.Binding{} }

func (s *script) Receive(_ context.Context, m *channel.Message) error {
	if ok, err := s.TryReceive(m); !ok {
		return errors.Join(err, channel.ErrPeer)
	}
	return nil
}

// TryReceive takes a message from the data: kind, length, whether it has a capability,
// and as much of the payload as there is.
func (s *script) TryReceive(m *channel.Message) (bool, error) {
	if len(s.data) < 3 {
		return false, channel.ErrPeer
	}
	*m = channel.Message{Kind: s.data[0], Length: s.data[1], Capability: abi.Reference(s.data[2] & 1)}
	n := copy(m.Payload[:], s.data[3:min(len(s.data), 3+int(m.Length))])
	s.data = s.data[3+n:]
	return true, nil
}

// say writes a message for a script.
func say(kind uint8, capability uint8, payload ...byte) []byte {
	return append([]byte{kind, uint8(len(payload)), capability}, payload...)
}

func join(messages ...[]byte) (all []byte) {
	for _, m := range messages {
		all = append(all, m...)
	}
	return all
}

// ended fails a test whose server or client ended in another way than it may.
func ended(t *testing.T, err error) {
	if err != nil && !errors.Is(err, channel.ErrBroken) {
		t.Errorf("%v", err)
	}
}

// FuzzServer has a client that says anything.
func FuzzServer(f *testing.F) {
	f.Add(say(1, 0, 0, 0, 0, 1, 0, 0, 0, 0))                                                  // Empty
	f.Add(join(say(1, 0, 0, 0, 1, 3, 0, 0, 0, 0), say(9, 0, 0, 0, 0, 0, 1, 2)))               // Words in two
	f.Add(join(say(1, 0, 1, 0, 1, 4, 9, 0, 0, 0, 1), say(2, 0, 1, 0, 0, 0)))                  // Blob, cancelled
	f.Add(join(say(1, 1, 0, 0, 0, 5, 0, 0, 0, 0, 1), say(1, 0, 0, 0, 0, 6, 0, 0, 0, 0, 1)))   // Frame, Note
	f.Add(join(say(1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1, 'k'), say(7, 0, 0, 0, 0, 0, 1, 0)))       // Keys, credit
	f.Add(join(say(1, 0, 0, 0, 0, 5, 0, 0, 0, 0), say(5, 0, 0, 0, 0, 0, 1, 'k', 2, 0, 1, 2))) // Load, an item
	f.Add(join(say(1, 0, 0, 0, 0, 5, 0, 0, 0, 0), say(6, 0, 0, 0, 0, 0, 1, 0, 'o', 'h')))     // Load, failure
	f.Add(join(say(1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0), say(8, 0, 0, 0, 0, 0), say(2, 0, 0, 0))) // Keys, stopped
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, options := range modes {
			notes := make(chan uint64, len(data))
			ended(t, echo.Serve(ctx, &script{data: data}, &parrot{notes: notes}, options...))
			s := newShelf(10)
			s.items["k"] = []byte("value")
			ended(t, store.Serve(ctx, &script{data: data}, s, options...))
		}
	})
}

// FuzzClient has a server that says anything. Its calls must end.
func FuzzClient(f *testing.F) {
	f.Add(say(3, 0, 0, 0, 0, 0))                                                                   // an answer
	f.Add(say(3, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8))                                           // a word
	f.Add(join(say(3, 0, 0, 0, 1, 0, 60, 0), say(9, 0, 0, 0, 0, 0, 1)))                            // a blob in two
	f.Add(say(3, 1, 0, 0, 0, 0, 1))                                                                // a frame
	f.Add(say(4, 0, 0, 0, 0, 0, 4, 0))                                                             // a declared error
	f.Add(say(4, 0, 0, 0, 0, 0, 1, 0, 'o', 'h'))                                                   // another
	f.Add(join(say(3, 0, 0, 0, 0, 0), say(5, 0, 0, 0, 0, 0, 1, 'k'), say(6, 0, 0, 0, 0, 0, 0, 0))) // a stream
	f.Add(join(say(7, 0, 0, 0, 0, 0, 5, 0), say(8, 0, 0, 0, 0, 0), say(3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)))
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		e := func() *echo.Client { return echo.NewClient(&script{data: data}) }
		s := func() *store.Client { return store.NewClient(&script{data: data}) }
		calls := []func(){
			func() { e().Empty(ctx) },
			func() { e().Word(ctx, 1) },
			func() { e().Words(ctx, [8]uint64{}) },
			func() { e().Blob(ctx, []byte("blob")) },
			func() { e().Frame(ctx, 1) },
			func() {
				c := e()
				c.Word(ctx, 1)
				c.Word(ctx, 2)
				c.Close()
			},
			func() { s().Get(ctx, "key") },
			func() {
				if keys, err := s().Keys(ctx, "key"); err == nil {
					drain(keys)
				}
			},
			func() {
				s().Load(ctx, func(yield func(store.Item, error) bool) {
					for range 3 * stub.Window {
						if !yield(store.Item{Key: "key"}, nil) {
							return
						}
					}
				})
			},
		}
		for i, call := range calls {
			done := make(chan bool)
			go func() {
				call()
				close(done)
			}()
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("call %d goes on", i)
			}
		}
	})
}

func drain[T any](items iter.Seq2[T, error]) {
	for range items {
	}
}
