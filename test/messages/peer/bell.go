package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"skerry/abi/capability"
	"skerry/lib/bind"
	typed "skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/endpoint"
	"skerry/lib/native/slots"
)

// ringer exports a name, takes a doorbell and gives it on to the name that is its third
// argument, if there is one; and rings it when it is told to.
func ringer(ctx context.Context, name string, _ int) error {
	var next channel.Conn
	if len(os.Args) > 4 {
		var err error
		if next, err = bind.Dial(ctx, os.Args[4], speech); err != nil {
			return err
		}
		defer next.Close()
	}
	var bell capability.Reference
	return serveBy(ctx, name, 1, func(ctx context.Context, c channel.Conn) error {
		var m channel.Message
		for {
			if err := c.Receive(ctx, &m); errors.Is(err, channel.ErrPeer) {
				return nil
			} else if err != nil {
				return err
			}
			var err error
			on := next != nil
			switch {
			case m.Kind == kindBell:
				bell = m.Capability
				d, err := native.Identify(bell)
				if err != nil {
					return err
				}
				fmt.Printf("%s has a %s\n", name, d.Type)
			case m.Payload[0] == 0:
				// Of both types of doorbells it is the same invocation.
				err, on = typed.Doorbell(bell).Ring(), false
			default:
				m.Payload[0]--
			}
			if err == nil && on {
				if err = next.Send(ctx, &m); err == nil {
					err = next.Receive(ctx, &m)
				}
			}
			if err != nil {
				return err
			}
			m.Capability = 0
			if err := c.Send(ctx, &m); err != nil {
				return err
			}
		}
	})
}

// rung gives a doorbell of its own to a chain of ringers, whose length is its third
// argument, and has each of them ring it n times.
func rung(ctx context.Context, name string, n int) error {
	ringers, err := strconv.Atoi(os.Args[4])
	if err != nil {
		return err
	}
	file, err := native.OpenDoorbell()
	if err != nil {
		return err
	}
	defer file.Close()
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	own, err := endpoint.New(1)
	if err != nil {
		return err
	}
	bell, err := native.Slot()
	if err != nil {
		return err
	}
	if err := slots.Home(bell).Retype(bell.Slot(), 1, capability.Reference(own), capability.Doorbell, 0, capability.Of(capability.Doorbell).Least); err != nil {
		return err
	}
	m := channel.Message{Kind: kindBell, Capability: bell}
	if err := c.Send(ctx, &m); err != nil {
		return err
	}
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	if err := bind.Withdraw(ctx, bell); err == nil {
		return errors.New("a doorbell was withdrawn")
	}
	for i := range n * ringers {
		// What else has rung has done so before.
		if err := file.SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			return err
		}
		for err == nil {
			_, err = file.Wait()
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		m = channel.Message{Kind: kindRing, Length: 1}
		m.Payload[0] = byte(i % ringers)
		if err = c.Send(ctx, &m); err == nil {
			err = c.Receive(ctx, &m)
		}
		if err == nil {
			err = file.SetDeadline(time.Now().Add(time.Minute))
		}
		if err == nil {
			_, err = file.Wait()
		}
		if err != nil {
			return fmt.Errorf("ringer %d: %w", i%ringers, err)
		}
	}
	// What is not of one dispatcher does not go.
	m = channel.Message{Kind: kindBell, Capability: capability.Reference(own)}
	if err := c.Send(ctx, &m); !errors.Is(err, bind.ErrTravel) {
		return fmt.Errorf("an endpoint was given: %w", err)
	} else {
		fmt.Println(err)
	}
	fmt.Printf("rung %d times\n", n*ringers)
	return nil
}
