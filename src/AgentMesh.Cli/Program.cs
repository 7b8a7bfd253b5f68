using System.Reflection;

if (args is ["version"])
{
    Console.WriteLine(typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
    return 0;
}

Console.Error.WriteLine("only 'version' is there yet");
return 255;
