/** Hand a text to the browser as a download. */
export function saveFile(text: string, { name, mediaType }: { name: string; mediaType: string }): void {
  const address = URL.createObjectURL(new Blob([text], { type: mediaType }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
