package control

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"skerry/lib/manifest"
)

const helpText = `run [--give CAPABILITY,...] PROGRAM [ARGUMENT]... [@CORES] [&]
                                        run a program; ^C ends it, ^D ends its input;
                                        with & it runs beside the prompt, without input
    run hello @1     run sort @0-3 &    on core 1; on four cores, from core 0 on
    run --give messages store &         with the means to speak to other programs
ps [-v]                                 list the dispatchers of all domains; -v: what
                                        happened to them
names                                   list what programs export, by name, and wait for
channels                                list who is bound to whom, and by what
cores                                   list the cores
memory                                  say where the memory of all cores is
threads DOMAIN [@CORE]                  list a program's threads; DOMAIN is its number in ps,
    threads 2        threads 2 @1       CORE where it started, if several have that number
kill DOMAIN [@CORE]                     end a program
    kill 2
renice DOMAIN WEIGHT [@CORE]            set its share of the time that is not reserved,
    renice 2 300                        from 1 to 10000; all begin with 100
reserve DOMAIN PERIOD BUDGET [DEADLINE] [@CORE]
    reserve 2 10ms 2ms                  reserve BUDGET of each PERIOD on each of its cores,
    reserve 2 10ms 2ms 5ms              within DEADLINE of its start
    reserve 2 none                      end that
help                                    print this
poweroff                                end the machine
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
		case "cores", "memory", "names", "channels", "help", "poweroff":
			c.Console.Print("%s takes no arguments\n", name)
			done()
			return
		}
	}
	// These call done unless they fail.
	commands := map[string]func(args []string, done func()) error{
		"run": c.run, "ps": c.ps, "threads": c.threads, "kill": c.killDomain, "renice": c.renice, "reserve": c.reserve,
		"names": c.names, "channels": c.channels,
	}
	if do := commands[name]; do != nil {
		if err := do(args, done); err != nil {
			c.Console.Print("%s: %v\n", name, err)
			done()
		}
		return
	}
	switch name {
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

// onCores takes a last argument @CORES off; without one there are no cores.
func (c *Control) onCores(args []string) (cores []int, rest []string, err error) {
	last := len(args) - 1
	if last < 0 || !strings.HasPrefix(args[last], "@") {
		return nil, args, nil
	}
	if cores, err = manifest.ParseCores(args[last][1:]); err != nil {
		return nil, nil, err
	}
	if err := manifest.CheckCores(cores); err != nil {
		return nil, nil, err
	}
	for _, core := range cores {
		if err := c.usable(core); err != nil {
			return nil, nil, err
		}
	}
	return cores, args[:last], nil
}

// run starts a program with the console as its standard streams, or beside the
// prompt with its output marked.
func (c *Control) run(args []string, done func()) error {
	beside := false
	if last := len(args) - 1; last >= 0 && args[last] == "&" {
		beside, args = true, args[:last]
	}
	cores, args, err := c.onCores(args)
	if err != nil {
		return err
	}
	var given []string
	if len(args) > 1 && args[0] == "--give" {
		given, args = strings.Split(args[1], ","), args[2:]
	}
	if len(args) == 0 {
		return errors.New("no program named; try: run hello @1")
	}
	file, err := c.Find(args[0])
	if err != nil {
		return err
	}
	if len(cores) > 0 {
		err = manifest.CheckCapabilities(given, cores[0])
	} else if err = manifest.CheckCapabilities(given, 0); err == nil {
		if cores = []int{c.place()}; manifest.CheckCapabilities(given, cores[0]) != nil {
			cores[0] = 0 // which has what others have not
		}
	}
	if err != nil {
		return err
	}
	name := path.Base(file)
	if len(name) > 31 {
		name = name[:31]
	}
	p := &program{index: -1, name: name, core: cores[0], others: cores[1:], lines: beside}
	p.prefix(false)
	if !beside {
		p.done = done
		c.foreground, c.discipline = p, discipline{}
	}
	c.start(p, &manifest.Program{
		Name: name, Path: strings.TrimPrefix(file, "/"), Args: args, Cwd: "/", Core: cores[0], Cores: cores[1:], Stdin: !beside,
		Env: []string{"PATH=/bin", "HOME=/"}, Capabilities: given,
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
var Commands = []string{"run", "ps", "cores", "memory", "names", "channels", "threads", "kill", "renice", "reserve", "help", "poweroff"}

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
