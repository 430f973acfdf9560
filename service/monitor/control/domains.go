package control

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"skerry/lib/manifest"
	"skerry/service/monitor/wire"
)

// find takes the domain that a command names off its arguments, and the core, if
// one is named where it started.
func (c *Control) find(args []string, example string) (p *program, rest []string, err error) {
	if len(args) > 0 {
		if number, core, ok := strings.Cut(args[0], "@"); ok && number != "" { // as ps says it
			args = append([]string{number}, append(args[1:], "@"+core)...)
		}
	}
	cores, args, err := c.onCores(args)
	switch {
	case err != nil:
		return nil, nil, err
	case len(cores) > 1:
		return nil, nil, errors.New("name the one core where it started")
	case len(args) == 0:
		return nil, nil, fmt.Errorf("name a domain, as ps lists it; try: %s", example)
	}
	domain, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no number of a domain", args[0])
	}
	for _, other := range c.programs {
		if domain == 0 || uint64(other.domain) != domain || len(cores) > 0 && other.core != cores[0] {
			continue
		}
		if p != nil {
			return nil, nil, fmt.Errorf("more than one core runs a program as domain %d; say where it started, by @CORE", domain)
		}
		p = other
	}
	if p == nil {
		return nil, nil, fmt.Errorf("domain %d is no program that runs", domain)
	}
	return p, args[1:], nil
}

// killDomain ends a program.
func (c *Control) killDomain(args []string, done func()) error {
	p, rest, err := c.find(args, "kill 2 @1")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("name one domain")
	}
	c.kill(p)
	done()
	return nil
}

// ps lists the dispatchers of all domains, or what happened to them.
func (c *Control) ps(args []string, done func()) error {
	counts := slices.Equal(args, []string{"-v"})
	if len(args) > 0 && !counts {
		return errors.New("only -v can be added")
	}
	c.gather(queryDomains, func(answers []answer) {
		if counts {
			c.printCounts(answers)
		} else {
			c.printDomains(answers)
		}
		done()
	})
	return nil
}

// threads lists the threads of a program, of each dispatcher that answers.
func (c *Control) threads(args []string, done func()) error {
	p, rest, err := c.find(args, "threads 2 @1")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("name one domain")
	}
	c.askAll(p, func(request uint32) wire.Message {
		return &wire.QueryThreads{Request: request, Program: p.number}
	}, func(answers []answer) {
		c.printThreads(p, answers)
		done()
	})
	return nil
}

// renice sets a program's weight on all its cores.
func (c *Control) renice(args []string, done func()) error {
	p, rest, err := c.find(args, "renice 2 300")
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errors.New("say how much it is to weigh; try: renice 2 300")
	}
	weight, err := manifest.ParseWeight(rest[0])
	if err != nil {
		return err
	}
	c.askAll(p, func(request uint32) wire.Message {
		return &wire.Weigh{Request: request, Program: p.number, Weight: uint64(weight)}
	}, func(answers []answer) {
		c.printErrors(answers)
		done()
	})
	return nil
}

// reserve reserves time for a program on each of its cores, or ends that.
func (c *Control) reserve(args []string, done func()) error {
	p, rest, err := c.find(args, "reserve 2 10ms 2ms")
	if err != nil {
		return err
	}
	m := wire.Reserve{Program: p.number}
	if !slices.Equal(rest, []string{"none"}) {
		r, err := manifest.ParseReservation(rest)
		if err != nil {
			return fmt.Errorf("%w; try: reserve 2 10ms 2ms", err)
		}
		m.Period, m.Budget, m.Deadline = uint64(r.Period), uint64(r.Budget), uint64(r.Deadline)
	}
	c.askAll(p, func(request uint32) wire.Message {
		m := m
		m.Request = request
		return &m
	}, func(answers []answer) {
		for i, a := range answers {
			if answer, ok := a.message.(*wire.Scheduled); ok && m.Deadline != 0 {
				c.Console.Print("core %d: %.1f %% reserved, of at most %.1f %%\n",
					p.cores()[i], 100*float64(m.Budget)/float64(m.Deadline), float64(answer.Left)/1e4)
			}
		}
		c.printErrors(answers)
		done()
	})
	return nil
}
