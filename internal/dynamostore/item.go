package dynamostore

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// The attributes of the items, beside those of internal/layout. Short, because
// an edit is billed by the kilobyte with its attributes' names.
const (
	attrNonce = "nonce"

	attrData       = "data"
	attrObject     = "object"
	attrSize       = "size"
	attrSHA256     = "sha256"
	attrAuthor     = "author"
	attrConnection = "connection"
	attrAt         = "at"

	attrRoom      = "room"
	attrUser      = "user"
	attrName      = "name"
	attrAccess    = "access"
	attrClient    = "client"
	attrTabs      = "tabs"
	attrSymphony  = "symphony"
	attrConnected = "connected"

	attrVersion        = "version"
	attrEpoch          = "epoch"
	attrCreated        = "created"
	attrSnapshot       = "snapshot"
	attrLastCheckpoint = "lastCheckpoint"
	attrSuperseded     = "superseded"
	attrTrimmed        = "trimmed"
	attrErased         = "erased"
	attrState          = "state"
	attrStateAt        = "stateAt"
	attrDenied         = "denied"
	attrKey            = "key"
	attrSeq            = "seq"
	attrBy             = "by"
)

var sizeMessage = regexp.MustCompile(`(?i)item size`)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number[T ~int | ~int64 | ~uint64 | ~uint8](n T) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(n)}
}

func numbers(list []uint64) types.AttributeValue {
	l := &types.AttributeValueMemberL{}
	for _, n := range list {
		l.Value = append(l.Value, number(n))
	}
	return l
}

func octets(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }

// instant stores a time as nanoseconds since 1970; nothing for the zero time.
func instant(to item, name string, t time.Time) {
	if !t.IsZero() {
		to[name] = number(t.UnixNano())
	}
}

func key(partition, sort string) item {
	return item{layout.PartitionAttribute: text(partition), layout.SortAttribute: text(sort)}
}

// fields reads an item's attributes and remembers the first that is not what
// it should be; absent ones are zero.
type fields struct {
	item item
	err  error
}

func (f *fields) wrong(name string) {
	if f.err == nil {
		f.err = fmt.Errorf("dynamostore: %w: attribute %q is %T", room.ErrCorrupt, name, f.item[name])
	}
}

func (f *fields) text(name string) string {
	switch v := f.item[name].(type) {
	case nil:
		return ""
	case *types.AttributeValueMemberS:
		return v.Value
	}
	f.wrong(name)
	return ""
}

func (f *fields) bytes(name string) []byte {
	switch v := f.item[name].(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberB:
		return v.Value
	}
	f.wrong(name)
	return nil
}

func (f *fields) uint(name string) uint64 {
	switch v := f.item[name].(type) {
	case nil:
		return 0
	case *types.AttributeValueMemberN:
		if n, err := strconv.ParseUint(v.Value, 10, 64); err == nil {
			return n
		}
	}
	f.wrong(name)
	return 0
}

func (f *fields) uints(name string) []uint64 {
	switch v := f.item[name].(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberL:
		list := make([]uint64, 0, len(v.Value))
		for _, n := range v.Value {
			n, ok := n.(*types.AttributeValueMemberN)
			if !ok {
				f.wrong(name)
				return nil
			}
			u, err := strconv.ParseUint(n.Value, 10, 64)
			if err != nil {
				f.wrong(name)
				return nil
			}
			list = append(list, u)
		}
		return list
	}
	f.wrong(name)
	return nil
}

func (f *fields) int(name string) int64 {
	switch v := f.item[name].(type) {
	case nil:
		return 0
	case *types.AttributeValueMemberN:
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	f.wrong(name)
	return 0
}

func (f *fields) bool(name string) bool {
	switch v := f.item[name].(type) {
	case nil:
		return false
	case *types.AttributeValueMemberBOOL:
		return v.Value
	}
	f.wrong(name)
	return false
}

func (f *fields) instant(name string) time.Time {
	if f.item[name] == nil {
		return time.Time{}
	}
	return time.Unix(0, f.int(name)).UTC()
}

func (f *fields) list(name string) []types.AttributeValue {
	switch v := f.item[name].(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberL:
		return v.Value
	}
	f.wrong(name)
	return nil
}

// part reads the attributes of a map; an absent map is empty.
func (f *fields) part(name string) *fields {
	switch v := f.item[name].(type) {
	case nil:
		return &fields{}
	case *types.AttributeValueMemberM:
		return &fields{item: v.Value}
	}
	f.wrong(name)
	return &fields{}
}

func (f *fields) hash(name string) (sum [32]byte) {
	if b := f.bytes(name); b != nil {
		if len(b) != len(sum) {
			f.wrong(name)
		}
		copy(sum[:], b)
	}
	return sum
}

// join takes over the error of a part.
func (f *fields) join(part *fields) {
	if f.err == nil {
		f.err = part.err
	}
}
