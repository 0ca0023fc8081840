import { useComputedColorScheme } from '@mantine/core';
import { useElementSize, useMergedRef } from '@mantine/hooks';
import clsx from 'clsx';
import { useEffect, useRef } from 'react';
import css from './Canvas.module.css';

export type Draw = (context: CanvasRenderingContext2D, width: number, height: number) => void;

interface Props {
  height: number;
  /** Draws in CSS pixels. Must be memoised: a new function triggers a redraw. */
  draw: Draw;
  className?: string;
}

/** A canvas as wide as its container, redrawn at device resolution when its size or the colour scheme changes. Hidden from
 * assistive technology; a table has the same data. */
export function Canvas({ height, draw, className }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref: sized, width } = useElementSize<HTMLCanvasElement>();
  const both = useMergedRef(canvas, sized);
  const colours = useComputedColorScheme();
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !width) return;
    const density = window.devicePixelRatio || 1;
    context.canvas.width = Math.round(width * density);
    context.canvas.height = Math.round(height * density);
    context.scale(density, density);
    draw(context, width, height);
  }, [draw, width, height, colours]);
  return <canvas ref={both} className={clsx(css.canvas, className)} style={{ height }} aria-hidden />;
}

/** Resolves a custom property of tokens.css for use in a canvas. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
