// Command cost prints what a load costs, or with -markdown all of docs/COST.md.
//
//	cost -users 500 -room 5 -hours 160 -edits 0.1 -presence 0.2
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/symphony-rt/symphony/internal/cost"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run() error {
	p := cost.Twenty
	markdown := flag.Bool("markdown", false, "write docs/COST.md to standard output")
	flag.Float64Var(&p.Users, "users", p.Users, "people connected at the same time")
	flag.Float64Var(&p.Room, "room", p.Room, "people in a room")
	flag.Float64Var(&p.Hours, "hours", p.Hours, "hours a month")
	flag.Float64Var(&p.Edits, "edits", p.Edits, "edits a second, of each")
	flag.Float64Var(&p.Presences, "presence", p.Presences, "presence updates a second, of each")
	flag.Parse()
	list, err := cost.Published()
	if err != nil {
		return err
	}
	if *markdown {
		fmt.Print(cost.Markdown(list, cost.Default))
		return nil
	}
	if err := p.Validate(); err != nil {
		return err
	}
	use := cost.Default.Use(p)
	for _, line := range list.Bill(use) {
		fmt.Printf("%14.0f  %-42s %10.2f %s\n", line.Used, list.Prices[line.Unit].Unit, line.Amount, list.Currency)
	}
	total := list.Total(use)
	fmt.Printf("%14s  %-42s %10.2f %s, %.4f for each person\n", "", "a month", total, list.Currency, total/p.Users)
	return nil
}
