using System.Globalization;
using Simulation.Running;

namespace Simulation;

/// <summary>
/// <c>worker</c>: runs worlds for another process. Otherwise: the trials and scenarios of the command line, with as many workers as there are cores.
/// </summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args is ["worker", ..] ? Task.FromResult(Worker.Run()) : new CommandLineRun(args).RunAsync();
}
