using System.Globalization;
using Soak;
using Soak.Planning;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (SoakOptions.TryParse(args, Random.Shared.Next(1_000_000)) is not { } options)
{
    Console.Error.WriteLine("usage: " + SoakOptions.Usage);
    return 255;
}

if (options.PlanOnly)
{
    foreach (string line in SoakPlan.Make(options).Lines())
    {
        Console.WriteLine(line);
    }

    return 0;
}

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("soak: signals and process facts are those of Linux");
    return 255;
}

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
try
{
    return await new SoakRun(options, Console.Out, interrupted.Token).RunAsync();
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 130;
}
