// Vectors for `sealflow message`, encoded by Filecoin's own Go types (go-state-types, pinned in go.mod and go.sum).
//
// Its output is checked in beside it; tests and CI read that and need no Go. After a new version in go.mod:
//
//	cd test/vectors/messages && go run . > ../messages.json
//
// test/unit/chain/vectors.test.ts says which fields must then be what sealflow makes.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
)

// The types below are those of the actors' version 18; their form has not changed since 13 (network version 22).
type sector struct {
	Number      uint64 `json:"number"`
	CommR       string `json:"commR"`
	TicketEpoch int64  `json:"ticketEpoch"`
	Expiration  int64  `json:"expiration"`
}

type vector struct {
	Name    string   `json:"name"`
	Size    string   `json:"size"`
	Sectors []sector `json:"sectors,omitempty"`
	// Of a prove-commit. Proofs are made by the rule of `filled`, from the sector's place and `proofSalt`.
	Numbers    []uint64        `json:"numbers,omitempty"`
	ProofBytes int             `json:"proofBytes,omitempty"`
	Bytes      int             `json:"bytes"`
	SHA256     string          `json:"sha256"`
	Hex        string          `json:"hex,omitempty"`
	JSON       json.RawMessage `json:"json,omitempty"`
}

type size struct {
	Name  string
	Proof abi.RegisteredSealProof
}

var sizes = []size{
	{"2KiB", abi.RegisteredSealProof_StackedDrg2KiBV1_1},
	{"8MiB", abi.RegisteredSealProof_StackedDrg8MiBV1_1},
	{"512MiB", abi.RegisteredSealProof_StackedDrg512MiBV1_1},
	{"32GiB", abi.RegisteredSealProof_StackedDrg32GiBV1_1},
	{"64GiB", abi.RegisteredSealProof_StackedDrg64GiBV1_1},
}

const (
	ticketEpoch = 4_200_000
	commRSalt   = 1
	proofSalt   = 2
	// Longer messages are checked in by their digest only.
	maxHexBytes  = 8 << 10
	maxJSONBytes = 4 << 10
)

func main() {
	var maxSafe uint64 = 1<<53 - 1
	thirtyTwo := sizes[3]

	var pre, prove []vector
	for _, s := range sizes {
		pre = append(pre, preCommit("one sector of "+s.Name, s, numbered(1)))
		prove = append(prove, proveCommit("one sector of "+s.Name, s, upTo(1)))
	}
	for _, count := range []int{2, 4, 256} {
		name := map[int]string{2: "two sectors", 4: "four sectors", 256: "256 sectors"}[count]
		pre = append(pre, preCommit(name, thirtyTwo, numbered(count)))
		prove = append(prove, proveCommit(name, thirtyTwo, upTo(count)))
	}
	// Each length that CBOR has for a number, on both sides of it.
	edges := []uint64{0, 23, 24, 255, 256, 65_535, 65_536, 1<<32 - 1, 1 << 32, maxSafe}
	pre = append(pre, preCommit("numbers of each length", sizes[0], withNumbers(edges)))
	prove = append(prove, proveCommit("numbers of each length", sizes[0], edges))
	pre = append(pre, preCommit("epochs of each length", sizes[0], withEpochs()))
	pre = append(pre, preCommit("the earliest and the latest expiration", thirtyTwo, withBounds(thirtyTwo)))

	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(map[string]any{
		"from":        "github.com/filecoin-project/go-state-types v0.18.0, builtin/v18",
		"facts":       facts(),
		"addresses":   addresses(),
		"preCommit":   pre,
		"proveCommit": prove,
	}))
}

// What sealflow states as constants.
func facts() map[string]any {
	sealProofs, proofBytes := map[string]int64{}, map[string]uint64{}
	for _, s := range sizes {
		sealProofs[s.Name] = int64(s.Proof)
		length, err := s.Proof.ProofSize()
		check(err)
		proofBytes[s.Name] = length
	}
	return map[string]any{
		"epochsInDay":                    builtin.EpochsInDay,
		"preCommitSectorBatch2":          builtin.MethodsMiner.PreCommitSectorBatch2,
		"proveCommitSectors3":            builtin.MethodsMiner.ProveCommitSectors3,
		"maxPreCommitRandomnessLookback": miner.MaxPreCommitRandomnessLookback,
		"maxProveCommitDuration":         miner.MaxProveCommitDuration[abi.RegisteredSealProof_StackedDrg32GiBV1_1],
		"minSectorExpiration":            miner.MinSectorExpiration,
		"maxSectorExpirationExtension":   miner.MaxSectorExpirationExtension,
		"sealProofs":                     sealProofs,
		"proofBytes":                     proofBytes,
	}
}

// The entropy of a miner's randomness: the CBOR of its address, in hex.
func addresses() map[string]string {
	all := map[string]string{}
	for _, id := range []uint64{0, 127, 128, 1000, 3_644_166, 1<<63 - 1} {
		addr, err := address.NewIDAddress(id)
		check(err)
		var out bytes.Buffer
		check(addr.MarshalCBOR(&out))
		all[addr.String()[1:]] = hex.EncodeToString(out.Bytes())
	}
	return all
}

func upTo(count int) []uint64 {
	numbers := make([]uint64, count)
	for i := range numbers {
		numbers[i] = uint64(i + 1)
	}
	return numbers
}

func numbered(count int) []sector { return withNumbers(upTo(count)) }

func withNumbers(numbers []uint64) []sector {
	sectors := make([]sector, len(numbers))
	for i, number := range numbers {
		sectors[i] = sector{
			Number:      number,
			CommR:       hex.EncodeToString(filled(32, i, commRSalt)),
			TicketEpoch: ticketEpoch + int64(i),
			Expiration:  ticketEpoch + int64(i) + 540*builtin.EpochsInDay,
		}
	}
	return sectors
}

func withEpochs() []sector {
	epochs := []int64{0, 23, 24, 255, 256, 65_535, 65_536, 1<<32 - 1, 1 << 32}
	sectors := numbered(len(epochs))
	for i, epoch := range epochs {
		sectors[i].TicketEpoch = epoch
		sectors[i].Expiration = epochs[len(epochs)-1-i]
	}
	return sectors
}

func withBounds(s size) []sector {
	sectors := numbered(2)
	minimum := miner.MaxPreCommitRandomnessLookback + miner.MaxProveCommitDuration[s.Proof] + miner.MinSectorExpiration
	sectors[0].Expiration = sectors[0].TicketEpoch + int64(minimum)
	sectors[1].Expiration = sectors[1].TicketEpoch + miner.MaxSectorExpirationExtension
	return sectors
}

// Byte j of what stands at place i. A rule, so that the tests need no megabytes.
func filled(length, i, salt int) []byte {
	out := make([]byte, length)
	for j := range out {
		out[j] = byte(i*31 + j*7 + salt*101)
	}
	return out
}

func preCommit(name string, s size, sectors []sector) vector {
	params := miner.PreCommitSectorBatchParams2{}
	for i, each := range sectors {
		sealed, err := commcid.ReplicaCommitmentV1ToCID(filled(32, i, commRSalt))
		check(err)
		params.Sectors = append(params.Sectors, miner.SectorPreCommitInfo{
			SealProof:     s.Proof,
			SectorNumber:  abi.SectorNumber(each.Number),
			SealedCID:     sealed,
			SealRandEpoch: abi.ChainEpoch(each.TicketEpoch),
			DealIDs:       []abi.DealID{},
			Expiration:    abi.ChainEpoch(each.Expiration),
		})
	}
	return encoded(vector{Name: name, Size: s.Name, Sectors: sectors}, &params)
}

func proveCommit(name string, s size, numbers []uint64) vector {
	length, err := s.Proof.ProofSize()
	check(err)
	params := miner.ProveCommitSectors3Params{}
	for i, number := range numbers {
		params.SectorActivations = append(params.SectorActivations, miner.SectorActivationManifest{
			SectorNumber: abi.SectorNumber(number),
			Pieces:       []miner.PieceActivationManifest{},
		})
		params.SectorProofs = append(params.SectorProofs, filled(int(length), i, proofSalt))
	}
	return encoded(vector{Name: name, Size: s.Name, Numbers: numbers, ProofBytes: int(length)}, &params)
}

type params interface{ MarshalCBOR(io.Writer) error }

func encoded(v vector, p params) vector {
	var out bytes.Buffer
	check(p.MarshalCBOR(&out))
	digest := sha256.Sum256(out.Bytes())
	v.Bytes, v.SHA256 = out.Len(), hex.EncodeToString(digest[:])
	if out.Len() <= maxHexBytes {
		v.Hex = hex.EncodeToString(out.Bytes())
	}
	if asJSON, err := json.Marshal(p); err == nil && len(asJSON) <= maxJSONBytes {
		v.JSON = asJSON
	} else {
		check(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
