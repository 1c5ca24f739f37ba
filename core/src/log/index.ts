export { canonicalJson } from './canonical-json.ts';
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
export { emptyRoot, leafHash, nodeHash, type Sha256 } from './hashing.ts';
export {
  formatNote,
  formatVerifierKey,
  type NoteKey,
  openNote,
  parseVerifierKey,
  signedBytes,
  type VerifyEd25519,
} from './note.ts';
export { consistencyProof, inclusionProof, type ReadSubtree } from './proofs.ts';
export { formatReceipt, parseReceipt, type Receipt, verifyReceipt } from './receipt.ts';
export { LogError } from './refuse.ts';
export { parseTilePath, partialWidth, subtreesOfTiles, TILE_WIDTH, type TileId, tilePath } from './tiles.ts';
export { edgeLevels, type FullSubtree, TreeEdge } from './tree-edge.ts';
export { type TreeHead, verifyConsistency, verifyInclusion } from './verify-proofs.ts';
