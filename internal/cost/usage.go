package cost

// Unit is a kind of thing AWS meters.
type Unit string

// The units. Storage is in GB-months, the rest is counted.
const (
	Message          Unit = "message"
	ConnectionMinute Unit = "connectionMinute"
	WriteUnit        Unit = "writeUnit"
	ReadUnit         Unit = "readUnit"
	TableStorage     Unit = "tableStorage"
	Recovery         Unit = "recovery"
	Invocation       Unit = "invocation"
	ComputeSecond    Unit = "computeSecond"
	ObjectPut        Unit = "objectPut"
	ObjectGet        Unit = "objectGet"
	ObjectStorage    Unit = "objectStorage"
	Log              Unit = "log"
	Trace            Unit = "trace"
	Transfer         Unit = "transfer"
)

// Units are all of them, in the order of a bill.
var Units = []Unit{Message, ConnectionMinute, Invocation, ComputeSecond, WriteUnit, ReadUnit, ObjectPut, ObjectGet, Transfer, Log, Trace,
	TableStorage, Recovery, ObjectStorage}

// Usage is how many units of each kind were used.
type Usage map[Unit]float64

// Plus returns the sum, Times the multiple; neither changes u.
func (u Usage) Plus(others ...Usage) Usage {
	sum := Usage{}
	for _, x := range append([]Usage{u}, others...) {
		for unit, n := range x {
			sum[unit] += n
		}
	}
	return sum
}

// Times returns n times u.
func (u Usage) Times(n float64) Usage {
	product := Usage{}
	for unit, x := range u {
		product[unit] = x * n
	}
	return product
}

// Line is one line of a bill.
type Line struct {
	Unit   Unit
	Used   float64
	Amount float64
}

// Bill prices the usage of one month, leaving out what was not used.
func (l PriceList) Bill(u Usage) []Line {
	var lines []Line
	for _, unit := range Units {
		if u[unit] > 0 {
			lines = append(lines, Line{unit, u[unit], l.Prices[unit].Of(u[unit])})
		}
	}
	return lines
}

// Total is the sum of the bill of one month's usage.
func (l PriceList) Total(u Usage) float64 {
	total := 0.0
	for _, line := range l.Bill(u) {
		total += line.Amount
	}
	return total
}
