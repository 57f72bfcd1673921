package cost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/cost"
)

func prices(t *testing.T) cost.PriceList {
	t.Helper()
	l, err := cost.Published()
	require.NoError(t, err)
	return l
}

// docs/COST.md is what the model says today: `make cost`.
func TestDocumentIsUpToDate(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "COST.md"))
	require.NoError(t, err)
	require.Equal(t, cost.Markdown(prices(t), cost.Default), string(text), "run `make cost`")
}

// The table of quotas in docs/DEPLOY.md is the model's.
func TestQuotaTableIsUpToDate(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "DEPLOY.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), cost.QuotaTable(cost.Default), "copy it into docs/DEPLOY.md:\n%s", cost.QuotaTable(cost.Default))
}

// N9: idle, only storage is billed.
func TestIdleIsStorage(t *testing.T) {
	require.Zero(t, prices(t).Total(cost.Default.Stored(0)))
	for unit := range cost.Default.Stored(1000) {
		require.Contains(t, []cost.Unit{cost.TableStorage, cost.Recovery, cost.ObjectStorage}, unit)
	}
	still := cost.Profile{Users: 4, Room: 4, Hours: 100}
	for _, part := range cost.Default.Parts(still) {
		if part.Name == "checkpoints" || part.Name == "edits" || part.Name == "presence" {
			require.Zero(t, prices(t).Total(part.Usage), part.Name)
		}
	}
}

// What an edit in a room of four is metered as, by the architecture: get the
// record, put, list, three posts, an acknowledgement; later the entry's deletion
// and the room directory.
func TestEditInARoomOfFour(t *testing.T) {
	u := cost.Default.Edit(4)
	require.InDelta(t, 1+3+1, u[cost.Message], 1e-9)
	require.InDelta(t, 1+1+1, u[cost.ReadUnit], 1e-9)
	require.InDelta(t, 1+1+2, u[cost.WriteUnit], 1e-9)
	require.InDelta(t, 1.01, u[cost.Invocation], 1e-9)
	p := cost.Default.Presence(4)
	require.InDelta(t, 4, p[cost.Message], 1e-9)
	require.Zero(t, p[cost.WriteUnit], "presence is never stored")
}

// An edit costs the same in a large document.
func TestEditDoesNotDependOnTheDocument(t *testing.T) {
	large := cost.Default
	large.SnapshotBytes *= 1000
	require.Equal(t, cost.Default.Edit(4), large.Edit(4))
	require.Greater(t, large.Session(4)[cost.Message], cost.Default.Session(4)[cost.Message], "joining pays for it")
}

func TestPresenceDominates(t *testing.T) {
	l := prices(t)
	amounts := map[string]float64{}
	sum := 0.0
	for _, part := range cost.Default.Parts(cost.Twenty) {
		amounts[part.Name] = l.Total(part.Usage)
		sum += amounts[part.Name]
	}
	for name, x := range amounts {
		require.LessOrEqual(t, x, amounts["presence"], name)
	}
	require.InDelta(t, sum, l.Total(cost.Default.Use(cost.Twenty)), 1e-6, "the parts are the whole")
}

func TestTwentyThousandsRates(t *testing.T) {
	r := cost.Default.Rates(cost.Twenty)
	require.InDelta(t, 24_000, r.Requests, 1, "6,000 messages in and 18,000 posts out")
	require.InDelta(t, 2.8, r.Connections, 0.1)
	require.InDelta(t, 140, r.Concurrency, 1)
}

func TestTiers(t *testing.T) {
	p := prices(t).Prices[cost.Message]
	require.InDelta(t, 1, p.Of(1e6), 1e-9)
	require.InDelta(t, 1000, p.Of(1e9), 1e-9)
	require.InDelta(t, 1000.8, p.Of(1e9+1e6), 1e-9)
}

func TestPricesAreComplete(t *testing.T) {
	for _, bad := range []string{`{`, `{"date":"today"}`, `{"date":"2026-01-01","prices":{}}`} {
		_, err := cost.ParsePrices([]byte(bad))
		require.Error(t, err, bad)
	}
	l := prices(t)
	for unit, p := range l.Prices {
		require.True(t, strings.HasPrefix(p.Source, "https://aws.amazon.com/"), unit)
		require.NotEmpty(t, p.Unit, unit)
	}
}

func TestNoLoad(t *testing.T) {
	require.NoError(t, cost.Twenty.Validate())
	for _, p := range []cost.Profile{{}, {Users: 2, Room: 4}, {Users: 4, Room: 4, Hours: 1000}, {Users: 4, Room: 4, Edits: -1}} {
		require.Error(t, p.Validate(), "%+v", p)
	}
}
