/* A sort whose comparison is called through a pointer, and a binary tree. */
#include "runtime.h"
#include "sections.h"

#define COUNT 1000u

static u32 values[COUNT];

typedef s32 (*comparison)(const u32 *, const u32 *);

static void fill_values(u32 seed) {
  for (u32 i = 0; i < COUNT; i++) values[i] = next_random(&seed);
}

static u32 sum_of_values(u32 sum) {
  for (u32 i = 0; i < COUNT; i += 37) sum = mix(sum, values[i]);
  return sum;
}

static NOINLINE s32 ascending(const u32 *a, const u32 *b) { return (*a > *b) - (*a < *b); }
static NOINLINE s32 descending(const u32 *a, const u32 *b) { return (*a < *b) - (*a > *b); }
static NOINLINE s32 by_low_half(const u32 *a, const u32 *b) { return (s32)(*a & 0xffff) - (s32)(*b & 0xffff); }
static comparison volatile const comparisons[3] = {ascending, descending, by_low_half};

static void exchange(u32 *a, u32 *b) {
  u32 kept = *a;
  *a = *b;
  *b = kept;
}

static NOINLINE void quicksort(u32 *first, u32 *last, comparison compare) {
  while (first < last) {
    u32 pivot = first[(last - first) / 2];
    u32 *low = first, *high = last;
    while (low <= high) {
      while (compare(low, &pivot) < 0) low++;
      while (compare(high, &pivot) > 0) high--;
      if (low <= high) exchange(low++, high--);
    }
    quicksort(first, high, compare);
    first = low;
  }
}

u32 run_quicksort(u32 work) {
  u32 sum = 0;
  for (u32 round = 0; round < work * 4; round++) {
    fill_values(round * 2 + 1);
    quicksort(values, values + COUNT - 1, comparisons[round % 3]);
    sum = mix(sum_of_values(sum), values[0] & 0xffff);
  }
  return sum;
}

struct node {
  u32 key;
  struct node *children[2];
};

static NOINLINE u32 walk(const struct node *node, u32 sum) {
  if (!node) return sum;
  sum = walk(node->children[0], sum);
  return walk(node->children[1], mix(sum, node->key));
}

/* Insertion into a binary tree, look-ups in it, and a walk in order. */
u32 run_tree(u32 work) {
  static struct node nodes[COUNT];
  u32 sum = 0;
  for (u32 round = 0; round < work * 6; round++) {
    struct node *root = 0;
    fill_values(round * 2 + 1);
    for (u32 i = 0; i < COUNT; i++) {
      nodes[i] = (struct node){values[i], {0, 0}};
      struct node **at = &root;
      while (*at) at = &(*at)->children[values[i] > (*at)->key];
      *at = &nodes[i];
    }
    for (u32 i = 0; i < COUNT; i++) {
      const struct node *at = root;
      u32 key = values[i] ^ (i & 1);
      while (at && at->key != key) at = at->children[key > at->key];
      sum += at != 0;
    }
    sum = walk(root, sum);
  }
  return sum;
}
