package dashboard

import (
	"math"
	"strconv"
)

// numbers is a JSON array in which what is not a number is null. Five digits
// are more than a chart shows.
type numbers []float64

const chartDigits = 5

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	out := make([]byte, 0, 6*len(n)+2)
	out = append(out, '[')
	for i, v := range n {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			out = append(out, "null"...)
			continue
		}
		out = strconv.AppendFloat(out, v, 'g', chartDigits, 64)
	}
	return append(out, ']'), nil
}

// clean leaves out what is not a number, which JSON cannot say.
func (f Figures) clean() Figures {
	out := Figures{}
	for key, v := range f {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[key] = v
		}
	}
	return out
}
