// Package source finds the source tree of Skerry, from which the host command
// builds kernel, libos and monitor.
//
// The packages under host and cmd/skerry import it. It must never change a
// file.
package source

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"skerry/host/exitcode"
)

// Module is the path of Skerry's module.
const Module = "skerry"

// Variable is the environment variable that names the source tree.
const Variable = "SKERRY_SOURCE"

// Find returns the absolute path of the source tree: flag if it is not empty,
// else the environment's, else the tree that the working directory is in, else
// the one the command was built from. What is named explicitly must be a
// source tree; the others are tried in turn.
func Find(flag string) (string, error) {
	explicit, by := flag, "--source"
	if explicit == "" {
		explicit, by = os.Getenv(Variable), Variable
	}
	if explicit != "" {
		dir, err := filepath.Abs(explicit)
		if err == nil {
			err = check(dir)
		}
		if err != nil {
			return "", &exitcode.Error{Code: exitcode.Usage, What: by + " " + explicit, Err: err,
				Fix: "name the folder that holds Skerry's go.mod"}
		}
		return dir, nil
	}
	if wd, err := os.Getwd(); err == nil {
		for dir := wd; ; dir = filepath.Dir(dir) {
			if check(dir) == nil {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if dir := built(); dir != "" && check(dir) == nil {
		return dir, nil
	}
	return "", exitcode.New(exitcode.Image, "Skerry's source tree",
		"name it by --source or "+Variable+", or run skerry from inside it",
		"not found in the working directory or where skerry was built")
}

// built returns the tree this command was compiled from, or "" if the compiler
// was told not to record it (-trimpath).
func built() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// check says why dir is not the root of a source tree.
func check(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) >= 2 && f[0] == "module" {
			if strings.Trim(f[1], `"`) == Module {
				return nil
			}
			return fmt.Errorf("the module there is %s, not %s", f[1], Module)
		}
	}
	return fmt.Errorf("the go.mod there names no module")
}
