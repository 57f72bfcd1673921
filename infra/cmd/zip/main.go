// Command zip packs the built functions for deployment and prints their sizes.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/symphony-rt/symphony/infra/artifact"
	"github.com/symphony-rt/symphony/infra/stack"
)

func main() {
	build := filepath.Join("..", "build")
	failed := false
	for _, name := range stack.FunctionNames {
		size, err := artifact.Pack(filepath.Join(build, "functions"), filepath.Join(build, "zips"), name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
			continue
		}
		fmt.Printf("  %-12s %5.1f MB zipped\n", name, float64(size)/(1<<20))
	}
	if failed {
		os.Exit(1)
	}
}
