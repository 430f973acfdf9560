package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"skerry/abi"
)

func (a *app) versionCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if json {
				return writeJSON(os.Stdout, struct{ Version, Go, OS, Arch string }{abi.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			fmt.Printf("skerry %s, built with %s for %s/%s\n", abi.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
	c.Flags().BoolVar(&json, "json", false, "as JSON")
	return c
}
