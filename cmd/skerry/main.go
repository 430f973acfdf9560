// Command skerry builds images of Skerry, starts machines with them, and runs
// programs there.
//
// Nothing imports it. It holds flags, words and streams; what it does is in the
// packages under host. Every failure must end in one line and an exit code of
// package exitcode.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/host/machine"
)

func main() { os.Exit(Main()) }

// Main runs the command of this process's arguments and returns its exit code.
func Main() int {
	ctx, cancel := interruptible()
	defer cancel()
	return execute(ctx, os.Args[1:])
}

// interruptible returns a context that the first ^C (or SIGTERM) ends. A
// second one ends the process in the usual way; its machine dies with it.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s, ok := <-signals
		if !ok {
			return
		}
		signal.Stop(signals)
		n, by := int(s.(syscall.Signal)), "^C"
		if s == syscall.SIGTERM {
			by = "SIGTERM"
		}
		cancel(exitcode.New(exitcode.Signal+n, "interrupted by "+by, "", "the machine was stopped"))
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// execute runs one command line.
func execute(ctx context.Context, args []string) int {
	app := &app{accel: machine.Auto}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	app.progress.clear()
	var coded *exitcode.Error
	var ended programEnded
	switch {
	case err == nil:
		return exitcode.OK
	case errors.As(err, &ended):
		return int(ended)
	case errors.As(err, &coded):
		fmt.Fprintf(os.Stderr, "skerry: %v\n", err)
		if coded.Detail != "" {
			fmt.Fprintln(os.Stderr, coded.Detail)
		}
		return coded.Code
	}
	fmt.Fprintf(os.Stderr, "skerry: %v\n", err)
	return exitcode.Internal
}

// programEnded is the exit code of a program that ended by itself. It needs no
// message.
type programEnded int

func (e programEnded) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// app holds what all commands share.
type app struct {
	source   string
	verbose  bool
	quiet    bool
	accel    machine.Accel
	progress progress
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "skerry",
		Short: "Build, boot and use Skerry, a multikernel operating system in Go",
		Long: `Skerry runs a kernel of its own on every core of a machine, and unmodified
static Go programs above them. This command builds it from its source tree and
starts it in a virtual machine.

  skerry run ./examples/hello      run a Go program on Skerry
  skerry boot --tour               boot, show what there is, and give a prompt
  skerry doctor                    check that this host has what is needed`,
		Version:       abi.Version,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { a.progress.init(a.quiet) },
		Args:             noArguments,
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("skerry {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(c, err)
	})
	root.SetOut(os.Stdout)
	root.SetErr(os.Stderr)
	f := root.PersistentFlags()
	f.StringVar(&a.source, "source", "", "Skerry's source tree (default: $SKERRY_SOURCE, the tree one is in, or the one skerry was built from)")
	f.BoolVar(&a.verbose, "verbose", false, "show the kernels' console on stderr")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but errors")
	f.Var(&a.accel, "accel", "how to run the processors; auto takes KVM where it is proved to work")
	root.RegisterFlagCompletionFunc("accel", cobra.FixedCompletions([]string{"auto", "kvm", "tcg"}, cobra.ShellCompDirectiveNoFileComp))
	root.MarkPersistentFlagDirname("source")
	root.AddCommand(a.runCommand(), a.bootCommand(), a.imageCommand(), a.doctorCommand(), a.versionCommand(), exitCodesTopic())
	return root
}

// usage makes err a usage error of a command.
func usage(c *cobra.Command, err error) error {
	what := c.Name()
	if !c.HasParent() {
		what = "command line"
	}
	return &exitcode.Error{Code: exitcode.Usage, What: what, Err: err, Fix: "see " + c.CommandPath() + " --help"}
}

func usagef(c *cobra.Command, format string, args ...any) error {
	return usage(c, fmt.Errorf(format, args...))
}

// noArguments refuses arguments, and with them unknown commands.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return usagef(c, "no such command: %s", args[0])
	}
	return usagef(c, "it takes no arguments, but was given %q", args[0])
}

func exitCodesTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Exit codes of skerry:\n\n")
	exitcode.Write(&b)
	b.WriteString("\nEvery code of skerry's own comes with one line on stderr that begins with \"skerry: \".")
	return &cobra.Command{Use: "exit-codes", Short: "The exit codes of skerry", Long: b.String()}
}
