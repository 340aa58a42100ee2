import { type CompletionCommand, nextWords, topics } from './words.ts';

export function completePowershell(commands: readonly CompletionCommand[]): string {
  const words = topics(commands).map(
    (topic) =>
      `    ${quote(topic)} = @(${nextWords(commands, topic)
        .map(({ word }) => quote(word))
        .join(', ')})`,
  );
  const flags = commands.map(
    (command) => `    ${quote(command.words)} = @(${command.flags.map(({ name }) => quote(`--${name}`)).join(', ')})`,
  );
  return `# dapr-mtls completion for PowerShell: dapr-mtls completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName dapr-mtls -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${words.join('\n')}
  }
  $flags = @{
${flags.join('\n')}
  }
  $typed = @()
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $word = $element.ToString()
    if ($word.StartsWith('-') -or $element.Extent.EndOffset -ge $cursorPosition -and $word -eq $wordToComplete) { break }
    if ($word -eq 'mtls' -and $typed.Count -eq 0) { continue }
    $typed += $word
  }
  $key = $typed -join ' '
  $candidates = if ($wordToComplete.StartsWith('-')) { $flags[$key] } else { $words[$key] }
  $candidates | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
