package protocol

// The body of every message, field by field in the order of the table in
// docs/PROTOCOL.md. Types and kinds come before and are in codec.go.

func (m *SyncStep1) fields(c *coder)    { c.bytes(&m.StateVector) }
func (m *SyncStep2) fields(c *coder)    { c.bytes(&m.Update) }
func (m *SyncUpdate) fields(c *coder)   { c.bytes(&m.Update) }
func (m *Awareness) fields(c *coder)    { c.bytes(&m.Update) }
func (m *Auth) fields(c *coder)         { c.string(&m.Reason) }
func (m *QueryAwareness) fields(*coder) {}

func (m *Hello) fields(c *coder) {
	c.uint(&m.Version)
	c.uint(&m.Client)
	c.string(&m.Epoch)
	c.uint(&m.After)
	c.bytes(&m.StateVector)
}

func (m *Welcome) fields(c *coder) {
	c.uint(&m.Version)
	c.string(&m.Epoch)
	c.uint(&m.Through)
	c.string(&m.Connection)
	c.string(&m.UserID)
	c.string(&m.UserName)
	c.string((*string)(&m.Access))
	c.uint(&m.Members)
	c.uint(&m.TimeMS)
	c.bytes(&m.StateVector)
	c.bytes(&m.Update)
}

func (m *Submit) fields(c *coder) {
	c.uint(&m.ID)
	c.bytes(&m.Update)
}

func (m *Ack) fields(c *coder) {
	c.uint(&m.ID)
	c.uint(&m.Seq)
}

func (m *Broadcast) fields(c *coder) {
	c.uint(&m.Seq)
	c.bytes(&m.Update)
}

func (m *RangeRequest) fields(c *coder) {
	c.uint(&m.After)
	c.uint(&m.Through)
}

func (m *Range) fields(c *coder) {
	c.uint(&m.After)
	c.uint(&m.Through)
	c.bool(&m.More)
	c.bytes(&m.Update)
}

func (m *Probe) fields(c *coder) { c.uint(&m.Seq) }
func (m *Tail) fields(c *coder)  { c.uint(&m.Seq) }

func (m *UploadRequest) fields(c *coder) {
	c.uint(&m.ID)
	c.uint(&m.Size)
	c.hash(&m.SHA256)
}

func (m *UploadOffer) fields(c *coder) {
	c.uint(&m.ID)
	c.string(&m.Upload)
	c.string(&m.URL)
	c.headers(&m.Headers)
}

func (m *UploadCommit) fields(c *coder) {
	c.uint(&m.ID)
	c.string(&m.Upload)
}

func (m *BroadcastByURL) fields(c *coder) {
	c.uint(&m.Seq)
	c.uint(&m.Size)
	c.hash(&m.SHA256)
	c.string(&m.URL)
}

func (m *SnapshotByURL) fields(c *coder) {
	c.uint(&m.Seq)
	c.uint(&m.Size)
	c.hash(&m.SHA256)
	c.string(&m.URL)
}

func (m *PeerJoined) fields(c *coder) {
	c.string(&m.Connection)
	c.uint(&m.Client)
	c.string(&m.UserID)
	c.string(&m.UserName)
}

func (m *PeerLeft) fields(c *coder) {
	c.string(&m.Connection)
	c.uint(&m.Client)
}

func (m *Event) fields(c *coder) {
	c.uint(&m.Client)
	c.string(&m.Data)
}

func (m *PeerEvent) fields(c *coder) {
	c.string(&m.Connection)
	c.uint(&m.Client)
	c.string(&m.UserID)
	c.string(&m.Data)
}

func (m *TabPresence) fields(c *coder) { c.bytes(&m.Update) }
func (m *TabLeft) fields(c *coder)     { c.uint(&m.Client) }

func (m *Notice) fields(c *coder) {
	c.string(&m.Code)
	c.string(&m.Text)
}

func (m *Error) fields(c *coder) {
	c.uint((*uint64)(&m.Code))
	c.uint(&m.ID)
	c.uint(&m.RetryMS)
	c.string(&m.Text)
}
