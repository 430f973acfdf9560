// Package fakemachine stands in for QEMU in tests of what talks to machines: a
// process that does on its serial ports what a script says.
//
// Only tests import it: they call Main in a process that they start as QEMU
// (SKERRY_QEMU), with the script in the variable Script.
package fakemachine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"skerry/abi"
	"skerry/lib/link"
)

// Script names the environment variable with the script: commands separated by
// ";", each a word and arguments:
//
//	console TEXT     write a line to the console
//	console-echo     copy the console's input to its output, until "poweroff"
//	hello N          send Hello with N cores
//	started P        send Started of program P
//	failed P TEXT    send Failed
//	stdout P TEXT    send Stdout (TEXT with Go's escapes)
//	stderr P TEXT    send Stderr
//	stdin P WINDOW   grant WINDOW bytes at a time and send the input back as output
//	exit P CODE      send Exit: exit code
//	signal P N       send Exit: signal
//	fault P PC       send Exit: libos fault
//	memory P         send Exit: out of memory
//	killed P         send Exit: killed
//	log C TEXT       send Log
//	info             send Info with one core
//	raw HEX          write bytes to the link
//	kill             wait for a Kill frame
//	bye              send Bye
//	hang             stay for ever
//	fail TEXT        end as QEMU does when it fails
//	sleep D          wait for D
//	touch FILE       make an empty file
//
// The machine ends at the end of the script.
const Script = "SKERRY_FAKE_MACHINE"

// Main runs the script.
func Main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("QEMU emulator version 0 (a stand-in)")
		return
	}
	m := &guest{
		console: os.NewFile(3, "console"), port: os.Stdout,
		w: link.NewWriter(os.Stdout), r: link.NewReader(os.Stdin),
	}
	for command := range strings.SplitSeq(os.Getenv(Script), ";") {
		words := strings.SplitN(strings.TrimSpace(command), " ", 3)
		for len(words) < 3 {
			words = append(words, "")
		}
		if err := m.do(words[0], words[1], words[2]); err != nil {
			fmt.Fprintf(os.Stderr, "fake machine: %s: %v\n", command, err)
			os.Exit(3)
		}
	}
}

type guest struct {
	console, port *os.File
	w             *link.Writer
	r             *link.Reader
}

func (g *guest) do(verb, first, rest string) error {
	n, _ := strconv.Atoi(first)
	program := uint16(n)
	exit := func(kind uint32) error {
		code, err := strconv.ParseUint(rest, 0, 64)
		if err != nil && rest != "" {
			return err
		}
		s := link.End{Status: abi.Status{Kind: kind, Code: code, CPU: 1e9}, Peak: 2 << 20}
		if kind == abi.ExitFault {
			s.FaultVector, s.FaultRIP, s.Trace[0] = 14, code, code
		}
		return g.w.Write(link.Frame{Kind: link.Exit, Program: program, Payload: link.AppendEnd(nil, &s)})
	}
	text := func(kind link.Kind) error {
		s, err := strconv.Unquote(`"` + rest + `"`)
		if err != nil {
			return err
		}
		return g.w.WriteStream(kind, 0, program, []byte(s), 1000)
	}
	json := func(kind link.Kind, v any) error {
		b, err := link.AppendJSON(nil, v)
		if err != nil {
			return err
		}
		return g.w.Write(link.Frame{Kind: kind, Program: link.None, Payload: b})
	}
	switch verb {
	case "", "#":
		return nil
	case "console":
		_, err := fmt.Fprintln(g.console, strings.TrimSpace(first+" "+rest))
		return err
	case "console-echo":
		var all []byte
		buf := make([]byte, 100)
		for !bytes.Contains(all, []byte("poweroff")) {
			n, err := g.console.Read(buf)
			if err != nil {
				return err
			}
			all = append(all, buf[:n]...)
			g.console.Write(buf[:n])
		}
		return nil
	case "hello":
		return json(link.Hello, link.Greeting{Version: abi.Version, Go: "go1", Cores: n})
	case "started":
		return g.w.Write(link.Frame{Kind: link.Started, Program: program, Payload: link.AppendStarted(nil, 1)})
	case "failed":
		return text(link.Failed)
	case "stdout":
		return text(link.Stdout)
	case "stderr":
		return text(link.Stderr)
	case "stdin":
		window, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		return g.echo(program, window)
	case "exit":
		return exit(abi.ExitCode)
	case "signal":
		return exit(abi.ExitSignal)
	case "fault":
		return exit(abi.ExitFault)
	case "memory":
		return exit(abi.ExitMemory)
	case "killed":
		return exit(abi.ExitKilled)
	case "log":
		return g.w.Write(link.Frame{Kind: link.Log, Core: uint16(n), Program: link.None, Payload: []byte(rest)})
	case "info":
		return json(link.Info, link.Summary{Cores: []link.Core{{Core: 0, Version: abi.Version}}})
	case "raw":
		b, err := hex.DecodeString(first)
		if err != nil {
			return err
		}
		_, err = g.port.Write(b)
		return err
	case "kill":
		for {
			f, err := g.r.Next()
			if err != nil || f.Kind == link.Kill {
				return err
			}
		}
	case "bye":
		return g.w.Write(link.Frame{Kind: link.Bye, Core: link.None, Program: link.None})
	case "hang":
		for {
			time.Sleep(time.Hour)
		}
	case "sleep":
		d, err := time.ParseDuration(first)
		time.Sleep(d)
		return err
	case "touch":
		return os.WriteFile(first, nil, 0o644)
	case "fail":
		fmt.Fprintf(os.Stderr, "qemu-system-x86_64: %s %s\n", first, rest)
		os.Exit(1)
	}
	return fmt.Errorf("no such command")
}

// echo sends a program's input back, and holds the host to what it granted.
func (g *guest) echo(program uint16, window int) error {
	open := 0
	for {
		if open == 0 {
			open = window
			if err := g.w.Write(link.Frame{Kind: link.Window, Program: program, Payload: link.AppendWindow(nil, uint32(window))}); err != nil {
				return err
			}
		}
		f, err := g.r.Next()
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		switch {
		case f.Program != program:
			return fmt.Errorf("a frame for program %d", f.Program)
		case f.Kind == link.StdinEOF:
			return nil
		case f.Kind != link.Stdin || len(f.Payload) == 0 || len(f.Payload) > open:
			return fmt.Errorf("%v frame of %d bytes where %d were granted", f.Kind, len(f.Payload), open)
		}
		open -= len(f.Payload)
		if err := g.w.Write(link.Frame{Kind: link.Stdout, Program: program, Payload: f.Payload}); err != nil {
			return err
		}
	}
}
