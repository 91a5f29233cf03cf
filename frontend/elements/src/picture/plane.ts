/** Points and rectangles in a plane, the words of all geometry here. Pure: says nothing about what the numbers measure. */

export interface Point { x: number; y: number }
export interface Size { width: number; height: number }
export interface Rect { left: number; top: number; width: number; height: number }

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
