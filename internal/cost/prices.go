// Package cost is Symphony's bill: what each action is metered as, and what AWS
// publishes as the price of a unit. docs/COST.md is written by it.
//
// It is a model: the counts are those of the code (tests of the adapters measure
// them), the durations and sizes are assumptions, named in assumptions.go.
// Free tiers of new accounts are left out.
package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed prices.json
var published []byte

// Price is what one kind of unit costs.
type Price struct {
	// Price is in the list's currency, for Per units.
	Price float64 `json:"price"`
	Per   float64 `json:"per"`
	Unit  string  `json:"unit"`
	// Above, unless 0, is from how many units a month Then is the price.
	Above  float64 `json:"above,omitempty"`
	Then   float64 `json:"then,omitempty"`
	Source string  `json:"source"`
}

// Of returns what n units in one month cost.
func (p Price) Of(n float64) float64 {
	if p.Above > 0 && n > p.Above {
		return p.Above/p.Per*p.Price + (n-p.Above)/p.Per*p.Then
	}
	return n / p.Per * p.Price
}

// PriceList is a dated list of published prices of one region.
type PriceList struct {
	Date     string         `json:"date"`
	Region   string         `json:"region"`
	Currency string         `json:"currency"`
	Prices   map[Unit]Price `json:"prices"`
}

// untiered is the list without lower prices for large amounts: what a part of
// any bill costs at most.
func (l PriceList) untiered() PriceList {
	prices := map[Unit]Price{}
	for unit, p := range l.Prices {
		p.Above, p.Then = 0, 0
		prices[unit] = p
	}
	l.Prices = prices
	return l
}

// Published returns the list that this version of Symphony was written with.
func Published() (PriceList, error) { return ParsePrices(published) }

// ParsePrices reads a list of the form of prices.json; every unit must have a
// price.
func ParsePrices(b []byte) (PriceList, error) {
	var l PriceList
	if err := json.Unmarshal(b, &l); err != nil {
		return PriceList{}, fmt.Errorf("cost: prices: %w", err)
	}
	if _, err := time.Parse(time.DateOnly, l.Date); err != nil {
		return PriceList{}, fmt.Errorf("cost: prices: the date: %w", err)
	}
	for _, u := range Units {
		if p, ok := l.Prices[u]; !ok || p.Per <= 0 || p.Price < 0 || p.Source == "" {
			return PriceList{}, fmt.Errorf("cost: prices: %s has no price with a source", u)
		}
	}
	if len(l.Prices) != len(Units) {
		return PriceList{}, fmt.Errorf("cost: prices: %d units, want %d", len(l.Prices), len(Units))
	}
	return l, nil
}
