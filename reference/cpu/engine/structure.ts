/**
 * From a control-flow graph to nested loops and blocks, as WebAssembly wants it: strongly connected parts with one entry
 * become loops, again and again inside them; whatever cannot be nested goes through a dispatcher at the top.
 *
 * After Tarjan 1972 (strongly connected components) and Ramsey 2022, "Beyond Relooper".
 */

/** A level of nesting: nodes and loops in an order in which branches go forward. */
export type Level = readonly Item[]

export type Item =
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'loop'; readonly node: number; readonly body: Level }

export interface Structure {
  readonly top: Level
  /** Nodes that are reached through the dispatcher. */
  readonly dispatched: ReadonlySet<number>
}

/**
 * @param count nodes are the numbers below it
 * @param edges of each node
 * @param entries nodes that must be at the top, because the dispatcher goes to them
 */
export function structure(
  count: number,
  edges: readonly (readonly number[])[],
  entries: ReadonlySet<number>,
): Structure {
  const dispatched = new Set(entries)
  const all = Array.from({ length: count }, (_, n) => n)
  for (;;) {
    const before = dispatched.size
    const top = buildLevel(all, edges, dispatched, true)
    if (dispatched.size === before) return { top, dispatched }
  }
}

/** Adds to `dispatched` what would need another entry into the middle of a loop; then the result is not used. */
function buildLevel(
  nodes: readonly number[],
  edges: readonly (readonly number[])[],
  dispatched: Set<number>,
  isTop: boolean,
): Item[] {
  const inside = new Set(nodes)
  const items: Item[] = []
  for (const component of components(nodes, edges, inside)) {
    const [only] = component
    if (component.length === 1 && only !== undefined && !edges[only]!.includes(only)) {
      items.push({ kind: 'node', node: only })
      continue
    }
    const members = new Set(component)
    const heads = headsOf(component, members, nodes, edges, dispatched)
    const [head] = heads
    if (heads.length === 1 && head !== undefined) {
      const inner = withoutEdgesInto(edges, members, new Set([head]))
      const body = buildLevel(component, inner, dispatched, false)
      items.push({ kind: 'loop', node: head, body })
      continue
    }
    for (const node of heads) dispatched.add(node)
    if (!isTop) continue
    items.push(...buildLevel(component, withoutEdgesInto(edges, members, new Set(heads)), dispatched, true))
  }
  return items
}

/** Members that are entered from outside, in their order; the first one if there is none. */
function headsOf(
  component: readonly number[],
  members: ReadonlySet<number>,
  nodes: readonly number[],
  edges: readonly (readonly number[])[],
  dispatched: ReadonlySet<number>,
): number[] {
  const entered = new Set<number>()
  for (const node of nodes) {
    if (members.has(node)) continue
    for (const to of edges[node]!) if (members.has(to)) entered.add(to)
  }
  const heads = component.filter((node) => entered.has(node) || dispatched.has(node))
  return heads.length > 0 ? heads : component.slice(0, 1)
}

function withoutEdgesInto(
  edges: readonly (readonly number[])[],
  from: ReadonlySet<number>,
  into: ReadonlySet<number>,
): readonly (readonly number[])[] {
  return edges.map((targets, node) => (from.has(node) ? targets.filter((to) => !into.has(to)) : targets))
}

/** Strongly connected components, each before those that it has edges to. */
function components(
  nodes: readonly number[],
  edges: readonly (readonly number[])[],
  inside: ReadonlySet<number>,
): number[][] {
  const order = new Map<number, number>()
  const low = new Map<number, number>()
  const stack: number[] = []
  const onStack = new Set<number>()
  const found: number[][] = []
  const work: { readonly node: number; next: number }[] = []
  const enter = (node: number) => {
    order.set(node, order.size)
    low.set(node, order.size - 1)
    stack.push(node)
    onStack.add(node)
    work.push({ node, next: 0 })
  }
  for (const root of nodes) {
    if (order.has(root)) continue
    enter(root)
    for (let frame = work.at(-1); frame !== undefined; frame = work.at(-1)) {
      const { node } = frame
      const targets = edges[node]!
      if (frame.next < targets.length) {
        const to = targets[frame.next++]!
        if (!inside.has(to)) continue
        if (!order.has(to)) enter(to)
        else if (onStack.has(to)) low.set(node, Math.min(low.get(node)!, order.get(to)!))
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined) low.set(parent.node, Math.min(low.get(parent.node)!, low.get(node)!))
      if (low.get(node) === order.get(node)) found.unshift(takeComponent(stack, onStack, node))
    }
  }
  return found
}

function takeComponent(stack: number[], onStack: Set<number>, last: number): number[] {
  const component: number[] = []
  for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
    onStack.delete(member)
    component.unshift(member)
    if (member === last) break
  }
  return component
}
