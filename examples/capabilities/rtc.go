package main

import (
	"errors"
	"fmt"
	"time"

	"skerry/abi/capability"
	invoke "skerry/lib/capability"
	"skerry/lib/native"
)

// The clock of the first PCs has two ports, for the number of a register and for
// what is in it, and the interrupt line 8.
const (
	rtcPort = 0x70
	rtcLine = 8
)

// Registers of the clock, and what is in them.
const (
	rtcAlarm    = 0x01 // seconds of the alarm
	rtcA        = 0x0a
	rtcB        = 0x0b
	rtcC        = 0x0c // what has happened; reading clears it
	rtcD        = 0x0d
	rtcRate     = 0x0f // in A: of the periodic interrupt, 32768 Hz >> (rate-1)
	rtcPeriodic = 0x40 // in B: it is enabled; in C: it has come
	rtcValid    = 0x80 // in D: the battery is good
)

// rtc is the clock, by its two ports.
type rtc struct{ ports invoke.IOPorts }

func (c rtc) read(register uint64) (uint64, error) {
	if err := c.ports.Out(0, 1, register); err != nil {
		return 0, err
	}
	return c.ports.In(1, 1)
}

func (c rtc) write(register, value uint64) error {
	if err := c.ports.Out(0, 1, register); err != nil {
		return err
	}
	return c.ports.Out(1, 1, value)
}

// change replaces the bits of a register that are in a mask, and returns what it
// held before.
func (c rtc) change(register, mask, value uint64) (before uint64, err error) {
	if before, err = c.read(register); err != nil {
		return 0, err
	}
	return before, c.write(register, before&^mask|value)
}

// newRTC makes the capability to the clock's ports.
func newRTC() (rtc, error) {
	ports, err := newDevice("the ports of the clock", capability.IOPorts, capability.IOPorts, rtcPort, 2)
	return rtc{invoke.IOPorts(ports)}, err
}

// showPorts reads and writes I/O ports.
func showPorts() error {
	clock, err := newRTC()
	if err != nil {
		return err
	}
	if _, _, err := device(capability.IOPorts, 0x3f8, 1); err == nil {
		return errors.New("the program was given the port of the console")
	}
	say("the console's ports are the kernel's: nothing here reaches them")
	d, err := clock.read(rtcD)
	if err != nil {
		return err
	}
	say("read register D of the clock: its battery is good: %v", d&rtcValid != 0)
	before, err := clock.change(rtcAlarm, 0xff, 42)
	if err != nil {
		return err
	}
	after, err := clock.change(rtcAlarm, 0xff, before)
	if err != nil {
		return err
	}
	say("wrote 42 to the seconds of its alarm, read %d", after)
	_, err = clock.ports.In(2, 1)
	if err := refused("read the port behind them", err); err != nil {
		return err
	}
	_, err = clock.ports.In(1, 2)
	if err := refused("read two bytes from the last one on", err); err != nil {
		return err
	}
	_, err = clock.ports.In(0, 3)
	if err := refused("read three bytes", err); err != nil {
		return err
	}
	readable, err := native.Slot()
	if err != nil {
		return err
	}
	if err := mint(readable, capability.Reference(clock.ports), capability.RightRead); err != nil {
		return err
	}
	err = invoke.IOPorts(readable).Out(0, 1, rtcD)
	if err := refused("write by a copy with right Read alone", err); err != nil {
		return err
	}
	if err := remove(readable); err != nil {
		return err
	}
	return remove(capability.Reference(clock.ports))
}

// showInterrupt takes interrupts of the clock.
func showInterrupt() error {
	clock, err := newRTC()
	if err != nil {
		return err
	}
	whole, _, err := device(capability.IRQSource, rtcLine, 1)
	if err != nil {
		return err
	}
	line, err := newDevice("its interrupt line", capability.IRQSource, capability.IRQSource, rtcLine, 1)
	if err != nil {
		return err
	}
	vectors, err := native.Identify(capability.Base(capability.SlotIRQDestination))
	if err != nil {
		return err
	}
	vector, err := newDevice("a vector", capability.IRQDestination, capability.IRQDestination, vectors.Base, 1)
	if err != nil {
		return err
	}
	if err := refused("connect all lines to the vector", invoke.IRQSource(whole).Connect(vector)); err != nil {
		return err
	}
	if err := refused("acknowledge before there is a vector", invoke.IRQSource(line).Acknowledge()); err != nil {
		return err
	}
	bell, err := native.OpenDoorbell()
	if err != nil {
		return err
	}
	if err := invoke.IRQDestination(vector).Bind(capability.Base(capability.SlotEndpoint)); err != nil {
		return err
	}
	if err := invoke.IRQSource(line).Connect(vector); err != nil {
		return err
	}
	say("connected the clock's line to the vector, the vector to this dispatcher")
	// 64 times in a second.
	rate, err := clock.change(rtcA, rtcRate, 10)
	if err != nil {
		return err
	}
	if _, err := clock.change(rtcB, rtcPeriodic, rtcPeriodic); err != nil {
		return err
	}
	const enough = 8
	if err := clock.take(bell, invoke.IRQSource(line), enough); err != nil {
		return err
	}
	say("took %d interrupts", enough)
	if _, err := clock.change(rtcB, rtcPeriodic, 0); err != nil {
		return err
	}
	if _, err := clock.change(rtcA, rtcRate, rate&rtcRate); err != nil {
		return err
	}
	// With the last capability to it the line is masked for good.
	if err := remove(line); err != nil {
		return err
	}
	if err := refused("stopped the clock, deleted its line", invoke.IRQSource(line).Acknowledge()); err != nil {
		return err
	}
	if err := remove(vector); err != nil {
		return err
	}
	return remove(capability.Reference(clock.ports))
}

// take waits for so many interrupts.
func (c rtc) take(bell *native.Doorbell, line invoke.IRQSource, enough int) error {
	rung := make(chan error)
	go func() {
		for {
			_, err := bell.Wait()
			rung <- err
		}
	}()
	late := time.After(patience)
	for taken := 0; taken < enough; {
		select {
		case err := <-rung:
			if err != nil {
				return err
			}
		case <-late:
			return fmt.Errorf("after %v only %d interrupts have come", patience, taken)
		}
		// The line goes down only when the register is read: what comes before it
		// can interrupt again would be lost.
		if err := line.Acknowledge(); err != nil {
			return err
		}
		// The dispatcher is rung for other reasons, too.
		happened, err := c.read(rtcC)
		if err != nil {
			return err
		}
		if happened&rtcPeriodic != 0 {
			taken++
		}
	}
	return nil
}
