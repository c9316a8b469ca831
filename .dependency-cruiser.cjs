/** The import rules of the architecture (docs/architecture.md): no folder imports upwards, and nobody a lab's solution. */
const SOLUTIONS =
  '^reference/(cpu/(idle|idle-variant)|io/(fifo-(backend|framing|variant)|host-files)|mmu/(sharing|sharing-variant|frame-table|shadow(-cache|-variant)?))\\.ts$'

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'reference-knows-nothing-above',
      severity: 'error',
      from: { path: '^reference/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(guests|assignments|grader|bench)/' },
    },
    {
      name: 'guests-use-the-public-index',
      severity: 'error',
      from: { path: '^guests/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(reference/(?!index\\.ts$)|assignments/|grader/|bench/)' },
    },
    {
      name: 'labs-use-the-public-index',
      comment:
        'Besides the public index of reference, labs may use guests and the contract of the grader. Benign variants stand in for the solution and import what it does.',
      severity: 'error',
      from: { path: '^assignments/', pathNot: '\\.test\\.ts$|/benign/' },
      to: { path: '^(reference/(?!index\\.ts$)|grader/(?!contract/)|bench/)' },
    },
    {
      name: 'labs-do-not-know-each-other',
      severity: 'error',
      from: { path: '^assignments/([^/]+)/' },
      to: { path: '^assignments/', pathNot: '^assignments/$1/' },
    },
    {
      name: 'public-suite-imports-nothing-hidden',
      severity: 'error',
      from: { path: '^assignments/[^/]+/public/' },
      to: { path: '^assignments/[^/]+/(hidden|mutants|benign)/' },
    },
    {
      name: 'only-the-reference-machine-uses-solutions',
      severity: 'error',
      from: {
        pathNot:
          '^reference/(machine|cpu/idle|io/fifo-(backend|framing)|mmu/(sharing|frame-table|shadow(-cache)?))\\.ts$|\\.test\\.ts$|^assignments/[^/]+/benign/',
      },
      to: { path: SOLUTIONS },
    },
    {
      name: 'contract-stands-alone',
      comment: 'Starters carry grader/contract; it must not pull in the rest of the grader.',
      severity: 'error',
      from: { path: '^grader/contract/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(grader/(?!contract/)|reference/|guests/|assignments/)' },
    },
    {
      name: 'grader-imports-no-lab',
      comment: 'Labs are loaded by name at run time.',
      severity: 'error',
      from: { path: '^grader/', pathNot: '\\.test\\.ts$' },
      to: { path: '^assignments/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
}
