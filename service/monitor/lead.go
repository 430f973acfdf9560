package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/manifest"
	"skerry/lib/native"
	"skerry/lib/urpc"
	"skerry/service/memory"
	"skerry/service/monitor/agent"
	"skerry/service/monitor/control"
	"skerry/service/monitor/wire"
)

// lead makes m the monitor of core 0, which controls the machine.
func (m *monitor) lead(info *abi.CoreInfo, k *kernel, pool *memory.Pool) error {
	b, err := os.ReadFile("/" + abi.ArchiveManifest)
	if err != nil {
		return err
	}
	todo, err := manifest.Decode(b)
	if err != nil {
		return err
	}
	byCore := make([]*peer, info.Cores)
	for core := 1; core < len(byCore); core++ {
		byCore[core] = m.connect(core, urpc.A)
	}
	m.agent = agent.New(info.Core, k, pool, func(message wire.Message) { m.control.Handle(0, message) })
	m.agent.Counts = m.counts
	port := func(number int) *control.Port {
		return control.NewPort(func(b []byte) (int, error) { return native.PortWrite(number, b) })
	}
	typed := make(chan []byte, 1) // one piece for each that is asked for
	m.control = control.New(control.Config{
		Manifest: todo,
		Greeting: link.Greeting{Version: native.Text(info.Version[:]), Go: native.Text(info.Go[:]), Cores: int(info.Cores)},
		Send: func(core int, message wire.Message) error {
			if core == 0 {
				m.agent.Handle(message)
				return nil
			}
			return byCore[core].stream.Send(message)
		},
		Console: port(abi.PortConsole),
		Link:    port(abi.PortLink),
		Now:     time.Now,
		PowerOff: func() {
			if err := native.Power(abi.PowerOff, 0); err != nil {
				native.Log("monitor: " + err.Error())
			}
		},
		Find:        find,
		Prompt:      func() { go prompt(m, typed) },
		PromptInput: func(b []byte) { typed <- b },
	})
	m.agent.Ready(distances(info))
	m.ports = append(m.ports, newInput(abi.PortConsole, m.control.Input, m.control.Listening))
	if todo.Link {
		host := newFeed()
		m.ports = append(m.ports, newInput(abi.PortLink, func(b []byte) { host.Write(b) }, always))
		go hear(m, host)
	}
	m.control.Start()
	return nil
}

// hear hands the host's frames to the control.
func hear(m *monitor, host *feed) {
	r := link.NewReader(host)
	for {
		f, err := r.Next()
		if err != nil {
			m.post(func() { m.control.HostLost(err) })
			return
		}
		f.Payload = bytes.Clone(f.Payload)
		m.post(func() { m.control.Host(f) })
	}
}

// programs is where programs with bare names are looked for.
const programs = "/bin"

// find returns the path of the program that name means at the prompt.
func find(name string) (string, error) {
	file := path.Join("/", name)
	if !strings.Contains(name, "/") {
		file = path.Join(programs, name)
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if names := complete(""); len(names) > 0 {
			return "", fmt.Errorf("there is no program %s; %s has %s", name, programs, strings.Join(names, ", "))
		}
		return "", fmt.Errorf("there is no program %s", name)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return "", fmt.Errorf("%s is not an executable file", file)
	}
	return file, nil
}

// complete returns the names of the programs that begin with start.
func complete(start string) (names []string) {
	entries, err := os.ReadDir(programs)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), start) {
			names = append(names, e.Name())
		}
	}
	return names
}
