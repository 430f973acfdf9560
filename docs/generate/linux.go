package main

import (
	"fmt"
	"go/ast"
	"strings"

	"skerry/abi/linux"
)

// notes are what the table cannot show of itself: how a call that is served
// differs from Linux, or what of it is served. A test holds that each belongs
// to a call that is served.
var notes = map[string]string{
	"arch_prctl":            "ARCH_SET_FS and ARCH_GET_FS; GS belongs to the libos: EINVAL",
	"clone":                 "makes threads; without CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND and CLONE_THREAD: ENOSYS",
	"fcntl":                 "locks are checked and always granted: no other process can hold one",
	"futex":                 "WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, REQUEUE, CMP_REQUEUE; others: ENOSYS",
	"getcpu":                "0, 0: a program sees the one core it runs on",
	"getpgid":               "the process number, whatever is asked for",
	"getpid":                "the domain's number",
	"getppid":               "1; 0 for process 1",
	"getsid":                "the process number, whatever is asked for",
	"getuid":                "0: a program is root of its domain, which gives it no right",
	"ioctl":                 "FIONBIO, FIONREAD, FIOCLEX, FIONCLEX; nothing is a terminal: ENOTTY",
	"kill":                  "to itself; any other process: ESRCH",
	"madvise":               "MADV_DONTNEED and MADV_FREE take the pages away at once; POPULATE works; other hints are accepted",
	"mmap":                  "anonymous memory and files of the boot archive; writable and executable at once: EACCES; a writable shared mapping of a file: EACCES",
	"mprotect":              "writable and executable at once: EACCES",
	"prctl":                 "PR_SET_NAME and PR_GET_NAME; others: EINVAL",
	"prlimit64":             "of itself; only RLIMIT_NOFILE limits anything",
	"sched_getaffinity":     "one core: a program has one dispatcher",
	"sched_rr_get_interval": "the thread's turn; 0 under SCHED_FIFO",
	"sched_setscheduler":    "SCHED_OTHER, FIFO, RR, BATCH, IDLE, among the threads of the program: no privilege is needed",
	"setpriority":           "changes how long turns are, not who has one",
	"setrlimit":             "only RLIMIT_NOFILE limits anything",
	"uname":                 "Linux 6.1.0-skerry x86_64",
}

func linuxCalls(tree string) (string, error) {
	libos, err := parse(tree, "libos")
	if err != nil {
		return "", err
	}
	files, err := parse(tree, "libos/files")
	if err != nil {
		return "", err
	}
	numbers, err := linuxNumbers(tree)
	if err != nil {
		return "", err
	}
	served, err := libos.table("calls", "linux")
	if err != nil {
		return "", err
	}
	byFiles := fileCases(files)

	rows := make([]string, linux.NumCalls)
	var absent []string
	count, refused := 0, 0
	for name, value := range served {
		number, ok := numbers[name]
		if !ok || linux.CallName(number) == "" {
			return "", fmt.Errorf("linux.%s has no number or no name", name)
		}
		call := linux.CallName(number)
		state, note := "served", notes[call]
		function, _ := value.(*ast.Ident)
		if function == nil {
			return "", fmt.Errorf("linux.%s is served by no plain function", name)
		}
		switch c := constant(libos.functions[function.Name]); {
		case c == "0":
			state = "accepted"
			if note == "" {
				note = "0"
			}
		case c != "":
			state, note = "refused", c
		case function.Name == "callFile":
			body, ok := byFiles[name]
			switch {
			case !ok:
				return "", fmt.Errorf("linux.%s is handed to package files, which does not know it", name)
			case literalError(body) != "":
				state, note = "refused", literalError(body)
			case files.mentions(body, "f", "Files", "linux", "EROFS"):
				note = join(note, "EROFS where it would change a file system")
			}
		}
		if state == "refused" {
			refused++
		} else {
			count++
		}
		rows[number] = fmt.Sprintf("| %d | %s | %s | %s |", number, call, state, note)
	}
	for number := range uint64(linux.NumCalls) {
		if rows[number] == "" && linux.CallName(number) != "" {
			absent = append(absent, linux.CallName(number))
		}
	}

	var b strings.Builder
	b.WriteString(`# Linux calls

<!-- Written by "go generate ./docs/generate" from libos/calls.go and libos/files. Do not edit. -->

The libos under each program serves these calls in user mode; the CPU driver
only sends them there. Numbers are those of linux/amd64.

- *served*: results and error numbers are meant to be Linux's, but for what the
  note says.
- *accepted*: nothing need be done; the result is in the note.
- *refused*: always fails, on purpose, with the error in the note.

`)
	fmt.Fprintf(&b, "%d calls are served or accepted, %d are refused. The %d further down return ENOSYS;\n", count, refused, len(absent))
	b.WriteString("`skerry run --trace-linux` names those that a program asked for.\n\n")
	b.WriteString("| number | call | state | note |\n| ---: | --- | --- | --- |\n")
	for _, row := range rows {
		if row != "" {
			b.WriteString(row + "\n")
		}
	}
	b.WriteString("\n## Not served: ENOSYS\n\n")
	b.WriteString(wrap(strings.Join(absent, ", ")+".", 78))
	return b.String(), nil
}

// linuxNumbers returns the values of the constants SysX of package linux.
func linuxNumbers(tree string) (map[string]uint64, error) {
	f, err := parse(tree, "abi/linux")
	if err != nil {
		return nil, err
	}
	numbers := map[string]uint64{}
	for name, value := range f.variables {
		if l, ok := value.(*ast.BasicLit); ok && strings.HasPrefix(name, "Sys") {
			var n uint64
			if _, err := fmt.Sscan(l.Value, &n); err == nil {
				numbers[name] = n
			}
		}
	}
	return numbers, nil
}

// fileCases returns, by the name of the call, the first case of the file
// layer's switches that is about it. Do and doReadOnly hold them.
func fileCases(f *folder) map[string]*ast.CaseClause {
	cases := map[string]*ast.CaseClause{}
	for _, name := range []string{"Files.Do", "Files.doReadOnly"} {
		ast.Inspect(f.functions[name], func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok {
				for _, e := range c.List {
					if call := selected(e, "linux"); call != "" && cases[call] == nil {
						cases[call] = c
					}
				}
			}
			return true
		})
	}
	return cases
}

// literalError returns the error number of a case that does nothing but set
// the result to one.
func literalError(c *ast.CaseClause) string {
	if len(c.Body) != 1 {
		return ""
	}
	a, ok := c.Body[0].(*ast.AssignStmt)
	if !ok || len(a.Rhs) != 1 {
		return ""
	}
	if u, ok := a.Rhs[0].(*ast.UnaryExpr); ok {
		return selected(u.X, "linux")
	}
	return ""
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// wrap breaks a text into lines of at most width bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+1+len(word) > width {
			b.WriteByte('\n')
			column = 0
		} else if column > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
	return b.String()
}
