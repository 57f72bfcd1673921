// Command simulate runs the simulation of docs/SCALING.md and prints its tables,
// or with --write puts them into the document.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/symphony-rt/symphony/internal/simulate"
)

// The tables stand between these lines.
const (
	begin = "<!-- begin: make simulate -->\n"
	end   = "<!-- end: make simulate -->"
)

func main() {
	write := flag.String("write", "", "put the tables into this `file`")
	flag.Parse()
	if err := run(*write); err != nil {
		fmt.Fprintf(os.Stderr, "simulate: %s\n", err)
		os.Exit(1)
	}
}

func run(file string) error {
	tables := simulate.Tables()
	if file == "" {
		fmt.Print(tables)
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	from, to := bytes.Index(text, []byte(begin)), bytes.Index(text, []byte(end))
	if from < 0 || to < from {
		return fmt.Errorf("%s has no place for the tables (%q)", file, begin)
	}
	out := append(append(bytes.Clone(text[:from+len(begin)]), "\n"+tables+"\n"...), text[to:]...)
	return os.WriteFile(file, out, 0o644)
}
