package yjs

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// surrogateAt says whether the three bytes of a lone surrogate begin at s[i] (WTF-8), and which.
func surrogateAt(s string, i int) (uint16, bool) {
	if i+2 >= len(s) || s[i] != 0xed || s[i+1] < 0xa0 || s[i+1] > 0xbf || s[i+2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | uint16(s[i+1]&0x3f)<<6 | uint16(s[i+2]&0x3f), true
}

// appendSurrogate appends a lone surrogate in WTF-8.
func appendSurrogate(b []byte, unit uint16) []byte {
	return append(b, 0xe0|byte(unit>>12), 0x80|byte(unit>>6)&0x3f|0x80, 0x80|byte(unit)&0x3f)
}

// wireString returns s as TextEncoder writes it: lone surrogates become U+FFFD. Anything else that is not UTF-8 is
// ErrUTF8.
func wireString(s string) (string, error) {
	if utf8.ValidString(s) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if _, ok := surrogateAt(s, i); ok {
			b.WriteString(replacement)
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			return "", ErrUTF8
		}
		b.WriteString(s[i : i+n])
		i += n
	}
	return b.String(), nil
}

// compareUnits compares two strings as JavaScript does: by UTF-16 code units. Only characters beyond U+FFFF, which
// UTF-16 puts before U+E000, compare otherwise than by bytes.
func compareUnits(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	x, y := a[i], b[i]
	if x >= 0xf0 && y >= 0xee && y < 0xf0 {
		return -1
	}
	if y >= 0xf0 && x >= 0xee && x < 0xf0 {
		return 1
	}
	return int(x) - int(y)
}

// lowerJS is toLowerCase: Go's ToLower and the two rules of Unicode's SpecialCasing that depend on no language. İ keeps
// its dot, and a Σ that ends a word becomes ς.
func lowerJS(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == 'İ':
			b.WriteString("i̇")
		case r == 'Σ' && casedBefore(runes[:i]) && !casedAfter(runes[i+1:]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// caseIgnorable approximates Unicode's Case_Ignorable: marks, modifiers, format characters and the punctuation inside
// words.
func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·’‘․︓﹕．：", r)
}

func cased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
}

func casedBefore(runes []rune) bool {
	for i := len(runes) - 1; i >= 0; i-- {
		if !caseIgnorable(runes[i]) {
			return cased(runes[i])
		}
	}
	return false
}

func casedAfter(runes []rune) bool {
	for _, r := range runes {
		if !caseIgnorable(r) {
			return cased(r)
		}
	}
	return false
}

// jsString is String(value) in JavaScript.
func jsString(value any) string {
	switch v := value.(type) {
	case Undefined:
		return "undefined"
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		return string(appendJSNumber(nil, v))
	case BigInt:
		return string(appendInt(nil, int64(v)))
	case string:
		return v
	case []byte:
		var b []byte
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendInt(b, int64(e))
		}
		return string(b)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			switch e.(type) {
			case nil, Undefined: // Array.prototype.join leaves them out
			default:
				parts[i] = jsString(e)
			}
		}
		return strings.Join(parts, ",")
	}
	return "[object Object]"
}
