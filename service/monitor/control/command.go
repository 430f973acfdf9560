package control

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"skerry/lib/manifest"
)

const helpText = `run PROGRAM [ARGUMENT]... [@CORE] [&]  run a program; ^C ends it, ^D ends its input;
                                       with & it runs beside the prompt, without input
kill DOMAIN [@CORE]                    end a program that runs beside the prompt
ps                                     list the domains of all cores
cores                                  list the cores
memory                                 say where the memory of all cores is
help                                   print this
poweroff                               end the machine
`

// Command does what a line at the prompt asks for. done is called once, when
// the next line may be read.
func (c *Control) Command(line string, done func()) {
	words, err := split(line)
	if err != nil {
		c.Console.Print("%v\n", err)
		done()
		return
	}
	if len(words) == 0 {
		done()
		return
	}
	name, args := words[0], words[1:]
	if len(args) > 0 {
		switch name {
		case "ps", "cores", "memory", "help", "poweroff":
			c.Console.Print("%s takes no arguments\n", name)
			done()
			return
		}
	}
	switch name {
	case "kill":
		if err := c.killDomain(args); err != nil {
			c.Console.Print("kill: %v\n", err)
		}
		done()
	case "run":
		if err := c.run(args, done); err != nil {
			c.Console.Print("run: %v\n", err)
			done()
		}
	case "ps":
		c.gather(queryDomains, func(answers []answer) {
			c.printDomains(answers)
			done()
		})
	case "cores":
		c.gather(queryCore, func(answers []answer) {
			c.printCores(answers)
			done()
		})
	case "memory":
		c.gather(queryMemory, func(answers []answer) {
			c.printMemory(answers)
			done()
		})
	case "help":
		c.Console.Print("%s", helpText)
		done()
	case "poweroff":
		c.powerOff()
	default:
		hint := "help lists the commands"
		if _, err := c.Find(name); err == nil {
			hint = "run " + line + " would run the program"
		}
		c.Console.Print("%s: no such command; %s\n", name, hint)
		done()
	}
}

// onCore takes a last argument @CORE off; without one the core is -1.
func (c *Control) onCore(args []string) (core int, rest []string, err error) {
	last := len(args) - 1
	if last < 0 || !strings.HasPrefix(args[last], "@") {
		return -1, args, nil
	}
	if core, err = strconv.Atoi(args[last][1:]); err != nil {
		return 0, nil, fmt.Errorf("%s names no core", args[last])
	}
	return core, args[:last], c.usable(core)
}

// killDomain ends a program by the number of its domain, as ps lists it.
func (c *Control) killDomain(args []string) error {
	core, args, err := c.onCore(args)
	if err != nil {
		return err
	}
	if len(args) != 1 {
		return errors.New("name one domain, as ps lists it; try: kill 2 @1")
	}
	domain, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return fmt.Errorf("%s is no number of a domain", args[0])
	}
	var found *program
	for _, p := range c.programs {
		if domain == 0 || uint64(p.domain) != domain || core >= 0 && p.core != core {
			continue
		}
		if found != nil {
			return fmt.Errorf("more than one core runs a program as domain %d; say which: kill %d @CORE", domain, domain)
		}
		found = p
	}
	if found == nil {
		return fmt.Errorf("domain %d is no program that runs", domain)
	}
	c.kill(found)
	return nil
}

// run starts a program with the console as its standard streams, or beside the
// prompt with its output marked.
func (c *Control) run(args []string, done func()) error {
	beside := false
	if last := len(args) - 1; last >= 0 && args[last] == "&" {
		beside, args = true, args[:last]
	}
	core, args, err := c.onCore(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errors.New("no program named; try: run hello @1")
	}
	file, err := c.Find(args[0])
	if err != nil {
		return err
	}
	if core < 0 {
		core = c.place()
	}
	name := path.Base(file)
	if len(name) > 31 {
		name = name[:31]
	}
	p := &program{index: -1, name: name, core: core, lines: beside}
	p.prefix(false)
	if !beside {
		p.done = done
		c.foreground, c.discipline = p, discipline{}
	}
	c.start(p, &manifest.Program{
		Name: name, Path: strings.TrimPrefix(file, "/"), Args: args, Cwd: "/", Core: core, Stdin: !beside,
		Env: []string{"PATH=/bin", "HOME=/"},
	})
	if beside {
		done()
	}
	return nil
}

// place returns the core for a program whose user does not care: each in turn.
func (c *Control) place() int {
	for range c.cores {
		core := c.nextCore % len(c.cores)
		c.nextCore = core + 1
		if c.usable(core) == nil {
			return core
		}
	}
	return 0
}

// Commands are the words that begin a line at the prompt.
var Commands = []string{"run", "kill", "ps", "cores", "memory", "help", "poweroff"}

// split cuts a line into words at blanks. Quotes of either kind and
// backslashes keep blanks in a word.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, quote := false, rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == ' ' || r == '\t':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("no closing %c", quote)
	}
	if escaped {
		return nil, errors.New("nothing after the last backslash")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
