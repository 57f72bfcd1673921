package cost

import (
	"fmt"
	"math"
	"strings"
)

// QuotaTable is the table of docs/DEPLOY.md: what loads like Twenty ask of the
// quotas of an account. Connections are counted for everybody coming back
// within a minute, as after a deployment of the user's own page.
func QuotaTable(a Assumptions) string {
	var b strings.Builder
	b.WriteString("| people at once | requests a second (messages and posts) | new connections a second, all back within a minute | functions at once | table writes, reads a second |\n")
	b.WriteString("|---|---|---|---|---|\n")
	for _, users := range []float64{100, 1000, 5000, 20_000} {
		p := Twenty
		p.Users = users
		r := a.Rates(p)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s, %s |\n", amount(users), amount(r.Requests), whole(users/60),
			whole(r.Concurrency), whole(r.Writes), whole(r.Reads))
	}
	return b.String()
}

func whole(x float64) string { return thousands(fmt.Sprintf("%.0f", math.Ceil(x))) }
