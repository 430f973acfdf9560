package bind

import (
	"fmt"
	"os"

	"skerry/lib/channel"
	"skerry/lib/session"
)

// TransportVariable is the variable of the environment that names the transport by
// which a program binds, whatever its options say. It is read at each Dial.
const TransportVariable = "SKERRY_TRANSPORT"

// DepthMax is the most that option Depth takes: of the slots of the largest ring a quarter may be
// those of messages that have been received and not been acknowledged.
const DepthMax = session.SlotsMax/4*3 - 1

// Option says how something is to be bound, exported or found.
type Option func(*settings)

type settings struct {
	wanted channel.Transport
	depth  int
	noWait bool
	skip   func(Network) bool // networks not to use; may be nil
	err    error
}

// Via asks for a transport, where otherwise one is chosen. It is for Dial alone.
func Via(t channel.Transport) Option { return func(s *settings) { s.wanted = t } }

// Depth asks for room for so many messages under way in each direction, up to
// DepthMax; it is rounded up. Over LMP 84 is the most that there is, whatever was asked for.
// It is for Dial alone.
func Depth(messages int) Option { return func(s *settings) { s.depth = messages } }

// NoWait has Dial fail with ErrNotFound rather than wait for a name.
func NoWait() Option { return func(s *settings) { s.noWait = true } }

func settingsOf(options []Option) (s settings) {
	for _, o := range options {
		o(&s)
	}
	if text := os.Getenv(TransportVariable); text != "" {
		s.wanted, s.err = channel.ParseTransport(text)
	}
	return s
}

// check reports what is wrong with settings, or with the name that they are for.
func (s *settings) check(name string) error {
	if s.err != nil {
		return fmt.Errorf("%s: %w", TransportVariable, s.err)
	}
	if s.depth < 0 || s.depth > DepthMax {
		return fmt.Errorf("a depth of %d messages is not 0 to %d", s.depth, DepthMax)
	}
	_, err := session.MakeName(name)
	return err
}
