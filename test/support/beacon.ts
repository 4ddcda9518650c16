// A server that nobody may ask, and the texts that would make a browser ask it.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Starts the server. Whoever starts it closes it. */
export async function startBeacon() {
  let asked = 0
  const server = createServer((_, res) => {
    asked++
    res.end('alert(1)')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/beacon`
  return {
    url,
    /** How often it was asked. */
    asked: () => asked,
    /** READMEs that would ask it. */
    attacks: [
      `![image](${url})`,
      `[![image](${url})](${url})`,
      `![reference][beacon]\n\n[beacon]: ${url}`,
      `<img src="${url}">`,
      `<img srcset="${url} 2x">`,
      `<picture><source srcset="${url}"></picture>`,
      `<script src="${url}"></script>`,
      `<link rel="stylesheet" href="${url}">`,
      `<link rel="prefetch" href="${url}">`,
      `<link rel="dns-prefetch" href="${url}">`,
      `<iframe src="${url}"></iframe>`,
      `<object data="${url}"></object>`,
      `<embed src="${url}">`,
      `<video src="${url}" poster="${url}" autoplay></video>`,
      `<audio src="${url}" autoplay></audio>`,
      `<svg><image href="${url}"/><use href="${url}#x"/></svg>`,
      `<input type="image" src="${url}">`,
      `<table background="${url}"><td background="${url}">x</td></table>`,
      `<body background="${url}">`,
      `<style>@import "${url}"; p { background: url(${url}) }</style>`,
      `<p style="background: url(${url})">x</p>`,
      `<meta http-equiv="refresh" content="0; url=${url}">`,
      `<form action="${url}"><button autofocus>x</button></form>`,
      `<a ping="${url}" href="#x">x</a>`,
      `<base href="${url}">`,
      `<html manifest="${url}">`,
      `<${url}>`,
    ],
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
